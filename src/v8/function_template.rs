//! Makes native functions by V8's `FunctionTemplate`, with a fast call or without. Tried on `NODE_MODULE_VERSION` 115,
//! 127, 137 and 147; V8's binary interface does not change within one.
#![expect(unsafe_code, reason = "calls exported functions of V8")]
#![expect(clippy::missing_transmute_annotations, reason = "the fields that are filled have the types")]

use std::collections::HashMap;
use std::ffi::c_void;
use std::mem::{MaybeUninit, transmute};
use std::ptr::null_mut;
use std::sync::{LazyLock, Mutex, PoisonError};

use super::callback_info::InfoLayout;
use super::fast_signature::{FastType, VALUE};
use super::handle::Local;
use super::symbols::{self, function};
use crate::loader::library::Images;
use crate::memory::address::Address;

type Callback = unsafe extern "C" fn(*const c_void);
type New = unsafe extern "C" fn(Local, Callback, Local, Local, i32, u32, u32, *const CFunction, u16, u16, u16) -> Local;

/// `v8::CFunction`: two pointers.
#[repr(C)]
struct CFunction([usize; 4]);

/// `v8::CFunctionInfo`: less than this on every version.
#[repr(C, align(16))]
struct CFunctionInfo([u8; 64]);

/// V8's functions, for one environment.
#[derive(Debug)]
pub struct FunctionTemplates {
    isolate: Local,
    context: unsafe extern "C" fn(Local) -> Local,
    new_template: New,
    get_function: unsafe extern "C" fn(Local, Local) -> Local,
    make_info: Address,
    make_function: unsafe extern "C" fn(*mut CFunction, usize, *const CFunctionInfo),
    make_text: unsafe extern "C" fn(Local, *const u8, u32, i32) -> Local,
    make_wide_text: unsafe extern "C" fn(Local, *const u16, u32, i32) -> Local,
    throw: unsafe extern "C" fn(Local, Local) -> Local,
    is_ending: unsafe extern "C" fn(Local) -> bool,
    /// The arguments of a function.
    pub layout: InfoLayout,
    /// Bytes of a `v8::CTypeInfo`.
    type_size: usize,
    /// Whether `CFunctionInfo` takes how 64-bit integers are represented.
    has_representation: bool,
    /// The start of the image of Node's executable, or of its shared library.
    image: Option<usize>,
    images: Images,
}

/// `NODE_MODULE_VERSION` of Node 26, from which on a `CTypeInfo` has no sequence type.
const WITHOUT_SEQUENCES: u32 = 147;

impl FunctionTemplates {
    /// Looks everything up, for this `NODE_MODULE_VERSION`; `None` where anything is missing.
    ///
    /// # Safety
    /// M6: this is the isolate's thread.
    pub unsafe fn find(modules: u32) -> Option<Self> {
        let process = symbols::process()?;
        let current: unsafe extern "C" fn() -> Local = function!(process, symbols::ISOLATE_GET_CURRENT);
        let with_representation = process.find(symbols::FUNCTION_INFO_NEW_WITH_REPRESENTATION);
        let images = Images::default();
        Some(Self {
            // SAFETY: M11, by its name.
            isolate: unsafe { current() },
            context: function!(process, symbols::ISOLATE_GET_CONTEXT),
            new_template: function!(process, symbols::TEMPLATE_NEW),
            get_function: function!(process, symbols::TEMPLATE_GET_FUNCTION),
            make_info: with_representation.or_else(|| process.find(symbols::FUNCTION_INFO_NEW))?,
            make_function: function!(process, symbols::C_FUNCTION_NEW),
            make_text: function!(process, symbols::STRING_NEW_FROM_ONE_BYTE),
            make_wide_text: function!(process, symbols::STRING_NEW_FROM_TWO_BYTE),
            throw: function!(process, symbols::ISOLATE_THROW),
            is_ending: function!(process, symbols::ISOLATE_IS_TERMINATING),
            layout: InfoLayout::of(modules),
            type_size: if modules >= WITHOUT_SEQUENCES { 2 } else { 3 },
            has_representation: with_representation.is_some(),
            image: images.find(process.find("napi_create_function")?),
            images,
        })
    }

    /// Whether a function is Node's own: it may run JavaScript.
    pub fn owns(&self, code: Address) -> bool {
        self.images.find(code).is_none_or(|image| Some(image) == self.image)
    }

    /// A string of characters of Latin-1; `None` where they are too many.
    ///
    /// # Safety
    /// M6; a handle scope is open.
    #[inline]
    pub unsafe fn text(&self, characters: &[u8]) -> Option<Local> {
        let length = i32::try_from(characters.len()).ok()?;
        // SAFETY: M6 and M11; the characters are a slice. It is to be an ordinary string (0).
        let text = unsafe { (self.make_text)(self.isolate, characters.as_ptr(), 0, length) };
        (!text.is_null()).then_some(text)
    }

    /// A string of units of UTF-16; `None` where they are too many.
    ///
    /// # Safety
    /// M6; a handle scope is open.
    #[inline]
    pub unsafe fn wide_text(&self, units: &[u16]) -> Option<Local> {
        let length = i32::try_from(units.len()).ok()?;
        // SAFETY: M6 and M11; the units are a slice. It is to be an ordinary string (0).
        let text = unsafe { (self.make_wide_text)(self.isolate, units.as_ptr(), 0, length) };
        (!text.is_null()).then_some(text)
    }

    /// Makes the native function under way throw a value when it returns, unless JavaScript is being terminated.
    ///
    /// # Safety
    /// M3 and M6.
    pub unsafe fn throw(&self, value: Local) {
        // SAFETY: M6, because the templates are in the state of the environment; M11, because `find` looked both
        // functions up by their names.
        unsafe {
            if !(self.is_ending)(self.isolate) {
                (self.throw)(self.isolate, value);
            }
        }
    }

    /// Makes a function that V8 calls at `code`, with a [`super::callback_info::Info`].
    ///
    /// # Safety
    /// M15: `code` is such a function. A handle scope is open on this thread.
    pub unsafe fn plain_function(&self, code: Address) -> Option<Local> {
        // SAFETY: by the contract of this function.
        let callback = unsafe { transmute::<*mut u8, Callback>(code.as_ptr()) };
        // SAFETY: as of this function.
        unsafe { self.instantiate(callback, 0, std::ptr::null()) }
    }

    /// Makes a function that optimised code calls at `code`, and other code at `otherwise`. `None` where V8 refuses.
    ///
    /// # Safety
    /// M15: `code` is a function of what is passed, with the receiver in front. A handle scope is open on this thread.
    pub unsafe fn function(
        &self,
        code: Address,
        arguments: impl IntoIterator<Item = FastType>,
        result: FastType,
        otherwise: Callback,
    ) -> Option<Local> {
        let passed =
            arguments.into_iter().filter(|fast_type| *fast_type != FastType::Buffer).map(FastType::v8_argument);
        let types: Vec<u8> = std::iter::once(VALUE).chain(passed).collect();
        // SAFETY: as of this function.
        unsafe { self.make(code, &types, result.v8_result(), otherwise) }
    }

    /// The description of a function for V8, which keeps pointers to it while code that calls the function exists.
    /// Equal functions have one in the process, so that workers leave nothing behind.
    fn describe(&self, arguments: &[u8], result: u8) -> &'static CFunctionInfo {
        type Known = HashMap<(Box<[u8]>, u8), &'static CFunctionInfo>;
        static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);
        let types = |codes: &[u8]| -> &'static mut [u8] {
            let bytes: Vec<u8> = codes.iter().flat_map(|code| [*code, 0, 0].into_iter().take(self.type_size)).collect();
            Box::leak(bytes.into_boxed_slice())
        };
        let make = || {
            let (types, count, result) = (types(arguments), arguments.len() as u32, types(&[result]));
            let info: &'static mut CFunctionInfo = Box::leak(Box::new(CFunctionInfo([0; 64])));
            // SAFETY: M11; the function has these parameters by its name, and what it fills is large enough. 64-bit
            // integers, which only results are, are BigInts (1).
            unsafe {
                let make_info = self.make_info.as_ptr();
                if self.has_representation {
                    type Make = unsafe extern "C" fn(*mut CFunctionInfo, *const u8, u32, *const u8, u8);
                    transmute::<*mut u8, Make>(make_info)(info, result.as_ptr(), count, types.as_ptr(), 1);
                } else {
                    type Make = unsafe extern "C" fn(*mut CFunctionInfo, *const u8, u32, *const u8);
                    transmute::<*mut u8, Make>(make_info)(info, result.as_ptr(), count, types.as_ptr());
                }
            }
            &*info
        };
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry((arguments.into(), result)).or_insert_with(make)
    }

    /// # Safety
    /// As [`FunctionTemplates::function`].
    unsafe fn make(&self, code: Address, arguments: &[u8], result: u8, otherwise: Callback) -> Option<Local> {
        let info = self.describe(arguments, result);
        let mut function = MaybeUninit::new(CFunction([0; 4]));
        let parameters = i32::try_from(arguments.len()).ok()? - 1;
        // SAFETY: M11; the functions have these parameters by their names, and what they fill is large enough.
        unsafe {
            (self.make_function)(function.as_mut_ptr(), code.get(), info);
            self.instantiate(otherwise, parameters, function.as_ptr())
        }
    }

    /// # Safety
    /// As [`FunctionTemplates::function`].
    unsafe fn instantiate(&self, callback: Callback, parameters: i32, fast: *const CFunction) -> Option<Local> {
        let (data, signature, throw_on_new, side_effects) = (null_mut(), null_mut(), 0, 0);
        let new = self.new_template;
        // SAFETY: M11; the functions have these parameters by their names.
        unsafe {
            let template =
                new(self.isolate, callback, data, signature, parameters, throw_on_new, side_effects, fast, 0, 0, 0);
            if template.is_null() {
                return None;
            }
            let made = (self.get_function)(template, (self.context)(self.isolate));
            (!made.is_null()).then_some(made)
        }
    }
}
