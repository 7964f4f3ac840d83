//! The mangled names of V8's and Node's C++ functions, in one table, and how they are found in the running executable.
//! Every one of them may be missing: then what needs it is not used.
#![expect(unsafe_code, reason = "opens the running executable")]

use crate::loader::library::Library;

/// The running executable and the libraries it was linked with, to find names in.
pub fn process() -> Option<Library> {
    // SAFETY: U4; the process runs no constructor again.
    unsafe { Library::open(None, 0) }.ok()
}

/// Finds a function of the process and gives it a type; returns `None` from the function it is used in where it is
/// missing.
#[cfg(v8_abi)]
macro_rules! function {
    ($process:expr, $name:expr) => {
        // SAFETY: M11; the mangled name contains the parameters, which are those of the type.
        unsafe { std::mem::transmute::<*mut u8, _>($process.find($name)?.as_ptr()) }
    };
}
#[cfg(v8_abi)]
pub(super) use function;

// v8::Isolate
#[cfg(not(windows))]
pub const ISOLATE_GET_CURRENT: &str = "_ZN2v87Isolate10GetCurrentEv";
#[cfg(windows)]
pub const ISOLATE_GET_CURRENT: &str = "?GetCurrent@Isolate@v8@@SAPEAV12@XZ";
#[cfg(not(windows))]
pub const ISOLATE_IS_TERMINATING: &str = "_ZN2v87Isolate22IsExecutionTerminatingEv";
#[cfg(windows)]
pub const ISOLATE_IS_TERMINATING: &str = "?IsExecutionTerminating@Isolate@v8@@QEAA_NXZ";
pub const ISOLATE_GET_ALLOCATOR: &str = "_ZN2v87Isolate23GetArrayBufferAllocatorEv";
pub const ISOLATE_GET_CONTEXT: &str = "_ZN2v87Isolate17GetCurrentContextEv";
pub const ISOLATE_SET_STACK_LIMIT: &str = "_ZN2v87Isolate13SetStackLimitEm";
pub const ISOLATE_THROW: &str = "_ZN2v87Isolate14ThrowExceptionENS_5LocalINS_5ValueEEE";

// v8::HandleScope, v8::TryCatch and global handles
pub const HANDLE_SCOPE_OPEN: &str = "_ZN2v811HandleScopeC1EPNS_7IsolateE";
pub const HANDLE_SCOPE_CLOSE: &str = "_ZN2v811HandleScopeD1Ev";
pub const HANDLE_SCOPE_SHRINK: &str = "_ZN2v811HandleScope16DeleteExtensionsEPNS_7IsolateE";
pub const TRY_CATCH_BEGIN: &str = "_ZN2v88TryCatchC1EPNS_7IsolateE";
pub const TRY_CATCH_END: &str = "_ZN2v88TryCatchD1Ev";
pub const TRY_CATCH_EXCEPTION: &str = "_ZNK2v88TryCatch9ExceptionEv";
pub const TRY_CATCH_HAS_TERMINATED: &str = "_ZNK2v88TryCatch13HasTerminatedEv";
pub const GLOBALIZE_HANDLE: &str = "_ZN2v812api_internal18GlobalizeReferenceEPNS_8internal7IsolateEPm";
pub const GLOBALIZE_VALUE: &str = "_ZN2v812api_internal18GlobalizeReferenceEPNS_8internal7IsolateEm";
pub const DISPOSE_GLOBAL: &str = "_ZN2v812api_internal13DisposeGlobalEPm";

// v8::FunctionTemplate, v8::CFunction, v8::Function and v8::String
pub const TEMPLATE_NEW: &str = concat!(
    "_ZN2v816FunctionTemplate3NewEPNS_7IsolateEPFvRKNS_20FunctionCallbackInfoINS_5ValueEEEENS_5LocalIS4_EENSA_INS_9Signature",
    "EEEiNS_19ConstructorBehaviorENS_14SideEffectTypeEPKNS_9CFunctionEttt"
);
pub const TEMPLATE_GET_FUNCTION: &str = "_ZN2v816FunctionTemplate11GetFunctionENS_5LocalINS_7ContextEEE";
pub const FUNCTION_INFO_NEW: &str = "_ZN2v813CFunctionInfoC1ERKNS_9CTypeInfoEjPS2_";
pub const FUNCTION_INFO_NEW_WITH_REPRESENTATION: &str =
    "_ZN2v813CFunctionInfoC1ERKNS_9CTypeInfoEjPS2_NS0_19Int64RepresentationE";
pub const C_FUNCTION_NEW: &str = "_ZN2v89CFunctionC1EPKvPKNS_13CFunctionInfoE";
pub const FUNCTION_CALL: &str = "_ZN2v88Function4CallENS_5LocalINS_7ContextEEENS1_INS_5ValueEEEiPS5_";
pub const FUNCTION_CALL_WITH_ISOLATE: &str =
    "_ZN2v88Function4CallEPNS_7IsolateENS_5LocalINS_7ContextEEENS3_INS_5ValueEEEiPS7_";
pub const STRING_NEW_FROM_TWO_BYTE: &str = "_ZN2v86String14NewFromTwoByteEPNS_7IsolateEPKtNS_13NewStringTypeEi";
pub const STRING_NEW_FROM_ONE_BYTE: &str = "_ZN2v86String14NewFromOneByteEPNS_7IsolateEPKhNS_13NewStringTypeEi";

// v8::ArrayBuffer and v8::ArrayBufferView
pub const IS_VIEW: &str = "_ZNK2v85Value17IsArrayBufferViewEv";
pub const IS_SHARED_BUFFER: &str = "_ZNK2v85Value19IsSharedArrayBufferEv";
pub const VIEW_GET_CONTENTS: &str = "_ZN2v815ArrayBufferView11GetContentsENS_10MemorySpanIhEE";
pub const VIEW_HAS_BUFFER: &str = "_ZNK2v815ArrayBufferView9HasBufferEv";
pub const VIEW_BUFFER: &str = "_ZN2v815ArrayBufferView6BufferEv";
pub const VIEW_OFFSET: &str = "_ZN2v815ArrayBufferView10ByteOffsetEv";
pub const VIEW_LENGTH: &str = "_ZN2v815ArrayBufferView10ByteLengthEv";
pub const BUFFER_DATA: &str = "_ZNK2v811ArrayBuffer4DataEv";
pub const BUFFER_IS_RESIZABLE: &str = "_ZNK2v811ArrayBuffer27IsResizableByUserJavaScriptEv";
pub const BUFFER_IS_DETACHABLE: &str = "_ZNK2v811ArrayBuffer12IsDetachableEv";
pub const BUFFER_SET_DETACH_KEY: &str = "_ZN2v811ArrayBuffer12SetDetachKeyENS_5LocalINS_5ValueEEE";
pub const BUFFER_GET_BACKING_STORE: &str = "_ZN2v811ArrayBuffer15GetBackingStoreEv";
pub const BUFFER_NEW_OF_STORE: &str = "_ZN2v811ArrayBuffer3NewEPNS_7IsolateESt10shared_ptrINS_12BackingStoreEE";

// v8::ArrayBuffer::Allocator and node::NodeArrayBufferAllocator
pub const V8_ALLOCATOR_REALLOCATE: &str = "_ZN2v811ArrayBuffer9Allocator10ReallocateEPvmm";
pub const V8_ALLOCATOR_MAX_SIZE: &str = "_ZNK2v811ArrayBuffer9Allocator17MaxAllocationSizeEv";
pub const V8_ALLOCATOR_PAGE_ALLOCATOR: &str = "_ZN2v811ArrayBuffer9Allocator16GetPageAllocatorEv";
pub const ALLOCATOR_VTABLE: &str = "_ZTVN4node24NodeArrayBufferAllocatorE";
pub const ALLOCATOR_ALLOCATE: &str = "_ZN4node24NodeArrayBufferAllocator8AllocateEm";
pub const ALLOCATOR_ALLOCATE_UNINITIALIZED: &str = "_ZN4node24NodeArrayBufferAllocator21AllocateUninitializedEm";
pub const ALLOCATOR_FREE: &str = "_ZN4node24NodeArrayBufferAllocator4FreeEPvm";
pub const ALLOCATOR_REALLOCATE: &str = "_ZN4node24NodeArrayBufferAllocator10ReallocateEPvmm";
pub const ALLOCATOR_GET_IMPL: &str = "_ZN4node24NodeArrayBufferAllocator7GetImplEv";
pub const ALLOCATOR_REGISTER: &str = "_ZN4node24NodeArrayBufferAllocator15RegisterPointerEPvm";
pub const ALLOCATOR_UNREGISTER: &str = "_ZN4node24NodeArrayBufferAllocator17UnregisterPointerEPvm";
pub const ALLOCATOR_DESTROY: [&str; 2] =
    ["_ZN4node24NodeArrayBufferAllocatorD1Ev", "_ZN4node24NodeArrayBufferAllocatorD2Ev"];
pub const ALLOCATOR_DELETE: &str = "_ZN4node24NodeArrayBufferAllocatorD0Ev";

/// `v8::TryHandleWebAssemblyTrapPosix`
pub const HANDLE_WASM_TRAP: &str = "_ZN2v829TryHandleWebAssemblyTrapPosixEiP9siginfo_tPv";
