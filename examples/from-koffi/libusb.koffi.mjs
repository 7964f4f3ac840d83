// Lists USB devices, and names errors.
// The same for this package: libusb.mjs.
import koffi from 'koffi';
const lib = koffi.load('libusb-1.0.so.0');
koffi.opaque('libusb_context'); koffi.opaque('libusb_device');
const init = lib.func('int libusb_init(_Out_ libusb_context **context)');
const getList = lib.func('long libusb_get_device_list(libusb_context *context, _Out_ libusb_device ***list)');
const bus = lib.func('uint8_t libusb_get_bus_number(libusb_device *device)');
const errorName = lib.func('const char *libusb_error_name(int code)');
const freeList = lib.func('void libusb_free_device_list(libusb_device **list, int unref)');
const exit = lib.func('void libusb_exit(libusb_context *context)');
const context = [null], list = [null];
console.log(errorName(init(context)));
const count = getList(context[0], list);
if (count < 0) console.log(errorName(count));
else for (const device of koffi.decode(list[0], 'libusb_device *', count)) console.log(bus(device) > 0);
if (count >= 0) freeList(list[0], 1);
console.log(errorName(-4));
exit(context[0]);
