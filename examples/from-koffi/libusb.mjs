// Lists USB devices, and names errors.
// The same for koffi: libusb.koffi.mjs.
import { array, dlopen } from 'pinned-ffi';
const { symbols: usb, types } = dlopen('usb-1.0', `
  typedef struct libusb_context libusb_context; typedef struct libusb_device libusb_device;
  int libusb_init(_Out_ libusb_context **context);
  ssize_t libusb_get_device_list(libusb_context *context, _Out_ libusb_device ***list);
  uint8_t libusb_get_bus_number(libusb_device *device);
  const char *libusb_error_name(int code);
  void libusb_free_device_list(libusb_device **list, int unref);
  void libusb_exit(libusb_context *context);
`);
const { returns, out: [context] } = usb.libusb_init();
console.log(usb.libusb_error_name(returns));
const { returns: count, out: [list] } = usb.libusb_get_device_list(context);
if (count < 0) console.log(usb.libusb_error_name(count));
else for (const each of array(types.libusb_device, count).read(list)) console.log(usb.libusb_get_bus_number(each) > 0);
if (count >= 0) usb.libusb_free_device_list(list, 1);
console.log(usb.libusb_error_name(-4));
usb.libusb_exit(context);
