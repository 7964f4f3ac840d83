//! The code by which V8 calls a function of the package with one more argument than V8 passes.

/// Code that calls `function(first, second, third, context)` with the three arguments that it is called with. It does
/// not depend on where it is put.
pub fn with_context(function: usize, context: usize) -> Vec<u8> {
    #[cfg(target_arch = "x86_64")]
    let code = [
        &[0x48, 0xb9][..], // mov rcx, context
        &context.to_le_bytes(),
        &[0x48, 0xb8], // mov rax, function
        &function.to_le_bytes(),
        &[0xff, 0xe0], // jmp rax
    ];
    #[cfg(target_arch = "aarch64")]
    let code = [
        &[0x83, 0x00, 0x00, 0x58][..], // ldr x3, context
        &[0xb0, 0x00, 0x00, 0x58],     // ldr x16, function
        &[0x00, 0x02, 0x1f, 0xd6],     // br x16
        &[0x1f, 0x20, 0x03, 0xd5],     // nop: the words below are aligned
        &context.to_le_bytes(),
        &function.to_le_bytes(),
    ];
    code.concat()
}

#[cfg(test)]
#[expect(unsafe_code, reason = "runs the code")]
mod tests {
    use super::*;
    use crate::memory::exec::Code;

    extern "C" fn join(first: usize, second: usize, third: usize, context: usize) -> usize {
        [first, second, third, context].iter().fold(0, |joined, argument| joined * 16 + argument)
    }

    #[test]
    #[cfg_attr(miri, ignore = "runs machine code")]
    fn the_function_gets_the_context_behind_the_arguments() {
        type Function = extern "C" fn(usize, usize, usize) -> usize;
        let mut code = Code::default();
        let at = code.put(&with_context((join as extern "C" fn(_, _, _, _) -> _ as *const ()).addr(), 4)).unwrap();
        // SAFETY: M15; the code passes on the three arguments that the function has.
        let function = unsafe { std::mem::transmute::<*mut u8, Function>(at.as_ptr()) };
        assert_eq!(function(1, 2, 3), 0x1234);
    }
}
