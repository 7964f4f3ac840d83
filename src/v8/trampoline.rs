//! The machine code of a fast call, between V8 and a C function: finds the function by its number, tests whether the
//! call may go in, puts every argument where C wants it, and the result where JavaScript reads it.
//!
//! V8 passes the receiver as the first argument and the number as the second one. `assembler::roles` names the
//! registers by what they are used for; those for conversions hold no argument of C.

use std::mem::offset_of;

use super::argument_moves::{AddressArgument, ViewContext, convert_long, move_arguments};
use super::assembler::Condition::{Equal, NotEqual};
use super::assembler::Width::{Bits32, Bits64};
use super::assembler::roles::{
    ADDRESS, AFTER, ARGUMENTS, CALLEE, ENTRY, FLOAT_RESULT, FRAME, KEPT, MISALIGNED, RESULT, SHARED, STACK,
    STACK_ARGUMENTS, VALUE,
};
use super::assembler::{Assembler, Float, Label};
use super::fast_signature::{FastSignature, FastType, Source, sources};
use super::verify::Maps;
use crate::abi::calling_sequence::{CallingSequence, Load, ResultIn};
use crate::call::function_table::{ENTRY_SHIFT, Entry};

/// The addresses that every trampoline of an environment has in common.
#[derive(Clone, Copy, Debug)]
pub struct TrampolineContext {
    /// A 32-bit word: how many callbacks are open. JavaScript can run during a call while it is not 0.
    pub open_callbacks: usize,
    /// The word that says which function the thread is inside.
    pub inside: usize,
    /// The memory that is shared with JavaScript. Its first word of 32 bits is set to [`MISSED`] if the call did not go
    /// in.
    pub shared: usize,
    /// The offsets of the bits of the pins in it, and of the words for arguments that are addresses.
    pub pins_at: i32,
    pub addresses_at: i32,
    /// The argument buffer, for results.
    pub arg_buffer: usize,
    /// Where it has the number that others compare who are about to write it.
    pub epoch_at: i32,
    /// A word that has the address of the first [`Entry`].
    pub entries: usize,
    /// A word that is 0 while no address of a Buffer was exposed.
    pub exposed_count: usize,
    /// A word that is 0 while no number can be the address of a slice of Node's Buffer pool.
    pub slice_count: usize,
    /// `extern "C" fn(owner of the entry)`: checks the fences of the arguments.
    pub check_fences: usize,
    /// `extern "C" fn(owner of the entry)`: copies the text that C has returned.
    pub copy_result: usize,
    /// The maps of V8's heap numbers and BigInts: the first word of each object.
    pub maps: Maps,
    /// How views are found.
    pub views: ViewContext,
}

/// The call did not go in.
pub const MISSED: u32 = 1;
/// The same, because callbacks are open: the next calls will not go in either.
pub const SHUT: u32 = 4;

/// The words that a call keeps in its stack frame, below `FRAME`: C's result while a function of the package runs, the
/// owner of the entry, and the function that the thread was inside before.
const KEPT_RESULT: i32 = -8;
const KEPT_FLOAT_RESULT: i32 = -16;
const OWNER: i32 = -24;
const OUTER: i32 = -32;
const FRAME_BYTES: i32 = 32;

/// The code that calls the C function of an entry, by its number. It does not depend on where it is put.
pub fn assemble(
    sequence: &CallingSequence,
    signature: &FastSignature,
    result_at: i32,
    context: TrampolineContext,
) -> Vec<u8> {
    let mut assembler = Assembler::default();
    let code = &mut assembler;
    let (miss, shut, check) = (code.label(), code.label(), code.label());
    find_entry(code, context, signature.is_leaf, [miss, shut]);
    let mut sources = sources(signature);
    let (has_addresses, has_views) = (signature.has_addresses(), signature.has_views());
    if has_addresses {
        code.mov_constant(SHARED, context.shared as u64);
    }
    // JavaScript does it where a text may have set a bit.
    if has_views && !signature.has_texts() {
        code.store_constant32(SHARED.at(context.pins_at), 0);
    }
    for (argument, fast_type) in signature.arguments.iter().enumerate() {
        let source = sources[argument];
        if fast_type.is_address() {
            let address = AddressArgument {
                argument,
                to: context.addresses_at + argument as i32 * 8,
                pins: context.pins_at,
                slice_count: context.slice_count,
                takes_texts: fast_type.is_text(),
            };
            if fast_type.is_view() {
                let takes_numbers = *fast_type != FastType::View;
                address.convert_view(code, source, takes_numbers, (&context.views, context.maps), miss);
            } else {
                address.convert_double(code, source, miss);
            }
            sources[argument] = Source::Shared(address.to);
        } else if matches!(fast_type, FastType::I64 | FastType::U64) {
            convert_long(code, source, *fast_type == FastType::I64, context.maps, miss);
        }
    }
    // C may return to V8 directly, unless something has to be done afterwards.
    let is_narrow =
        sequence.result == ResultIn::Integer && !matches!(sequence.returned, Load::I32 | Load::U32 | Load::Word);
    let is_word =
        matches!(signature.result, FastType::Buffer | FastType::Pointer) && sequence.result != ResultIn::Nothing;
    let returns_here =
        sequence.on_stack > 0 || is_narrow || is_word || signature.returns_text || has_views || signature.is_leaf;
    if !returns_here {
        if has_addresses {
            jump_if_fences_matter(code, signature, context, check);
        }
        move_arguments(code, sequence, &sources, STACK.at(STACK_ARGUMENTS));
        code.allow_variadic();
        code.jmp_to(ENTRY.at(offset_of!(Entry<()>, code) as i32));
    }
    if returns_here || has_addresses {
        code.bind(check);
        code.enter_frame();
        code.sub_constant(STACK, FRAME_BYTES + (sequence.on_stack * 8).next_multiple_of(16) as i32);
        code.mov(Bits64, VALUE, ENTRY.at(offset_of!(Entry<()>, owner) as i32));
        code.store(FRAME.at(OWNER), VALUE);
        if signature.is_leaf {
            enter_leaf(code, context);
        }
        move_arguments(code, sequence, &sources, FRAME.at(16));
        code.allow_variadic();
        code.call(ENTRY.at(offset_of!(Entry<()>, code) as i32));
        if signature.is_leaf {
            leave_leaf(code, context);
        }
        widen_result(code, sequence);
        if is_word && signature.result == FastType::Buffer {
            store_result(code, result_at, context);
        }
        if has_addresses {
            check_fences(code, signature, context, returns_here);
        }
        if signature.returns_text {
            save_result(code);
            call_with_owner(code, context.copy_result);
            load_result(code);
        }
        if signature.result == FastType::Pointer {
            return_pointer(code, result_at, context);
        }
        code.leave_frame();
    }
    for (label, state) in [(miss, MISSED), (shut, SHUT)] {
        code.bind(label);
        code.mov_constant(VALUE, context.shared as u64);
        code.store_constant32(VALUE.at(0), state);
        code.clear(RESULT);
        code.clear_float(FLOAT_RESULT);
        code.ret();
    }
    assembler.finish()
}

/// Finds the entry. Misses the call if the library is closed, or if a callback is open that the function may call.
fn find_entry(code: &mut Assembler, context: TrampolineContext, is_leaf: bool, [miss, shut]: [Label; 2]) {
    if !is_leaf {
        code.mov_constant(VALUE, context.open_callbacks as u64);
        code.cmp_constant(Bits32, VALUE.at(0), 0);
        code.jump_if(NotEqual, shut);
    }
    code.mov_constant(VALUE, context.entries as u64);
    code.mov(Bits32, ENTRY, ARGUMENTS[1]);
    code.shl(ENTRY, ENTRY_SHIFT);
    code.add(ENTRY, VALUE.at(0));
    code.mov(Bits64, VALUE, ENTRY.at(offset_of!(Entry<()>, open) as i32));
    code.cmp_byte(VALUE.at(0), 0);
    code.jump_if(Equal, miss);
}

/// Tells callbacks that the thread is inside a leaf function.
fn enter_leaf(code: &mut Assembler, context: TrampolineContext) {
    code.mov_constant(VALUE, context.inside as u64);
    code.mov(Bits64, ADDRESS, VALUE.at(0));
    code.store(FRAME.at(OUTER), ADDRESS);
    code.mov(Bits64, ADDRESS, ENTRY.at(offset_of!(Entry<()>, inside) as i32));
    code.store(VALUE.at(0), ADDRESS);
}

/// The thread is inside what it was inside before. The result of C stays.
fn leave_leaf(code: &mut Assembler, context: TrampolineContext) {
    code.mov_constant(ADDRESS, context.inside as u64);
    code.mov(Bits64, AFTER, FRAME.at(OUTER));
    code.store(ADDRESS.at(0), AFTER);
}

/// V8 expects narrow integers as 32 bits; C leaves the upper ones undefined.
fn widen_result(code: &mut Assembler, sequence: &CallingSequence) {
    if sequence.result != ResultIn::Integer {
        return;
    }
    match sequence.returned {
        Load::I8 => code.extend(RESULT, RESULT, 8, true),
        Load::I16 => code.extend(RESULT, RESULT, 16, true),
        Load::U8 => code.extend(RESULT, RESULT, 8, false),
        Load::U16 => code.extend(RESULT, RESULT, 16, false),
        Load::I32 | Load::U32 | Load::Word | Load::Copy => {}
    }
}

/// Jumps if C is passed a text, or any number may be the address of a Buffer. Before the call this is as good as after
/// it: an address that is exposed during the call is none of those that C was passed.
fn jump_if_fences_matter(code: &mut Assembler, signature: &FastSignature, context: TrampolineContext, target: Label) {
    if signature.has_texts() {
        code.mov_constant(ADDRESS, address_at(context.shared, context.pins_at));
        code.cmp_constant(Bits32, ADDRESS.at(0), 0);
        code.jump_if(NotEqual, target);
    }
    code.mov_constant(ADDRESS, context.exposed_count as u64);
    code.cmp_constant(Bits64, ADDRESS.at(0), 0);
    code.jump_if(NotEqual, target);
}

/// Checks the fences of the arguments; the result of C stays. `is_untested`: it is not known whether they have any.
fn check_fences(code: &mut Assembler, signature: &FastSignature, context: TrampolineContext, is_untested: bool) {
    let (found, whole) = (code.label(), code.label());
    let has_views = signature.has_views();
    if is_untested && !has_views {
        let matter = code.label();
        jump_if_fences_matter(code, signature, context, matter);
        code.jmp(whole);
        code.bind(matter);
    }
    save_result(code);
    if !has_views && !signature.has_texts() {
        code.mov_constant(ADDRESS, address_at(context.shared, context.pins_at));
        code.store_constant32(ADDRESS.at(0), 0);
    }
    let with_pins = signature.arguments.iter().enumerate();
    for (argument, fast_type) in with_pins.filter(|(_, fast_type)| fast_type.is_view() || fast_type.is_text()) {
        let next = code.label();
        if *fast_type != FastType::View {
            code.mov_constant(ADDRESS, address_at(context.shared, context.pins_at));
            code.test_bits(ADDRESS.at(0), 1 << argument);
            code.jump_if(Equal, next);
        }
        let ViewContext { caches, cache_bytes, last_blocks, is_whole, .. } = context.views;
        if fast_type.is_text() {
            // That of a view by its position, that of a text by its slot.
            code.mov_constant(VALUE, (last_blocks + argument) as u64);
            code.load_byte(VALUE, VALUE.at(0));
            code.multiply(VALUE, VALUE, cache_bytes as i32);
            code.mov_constant(ARGUMENTS[0], caches as u64);
            code.add(ARGUMENTS[0], VALUE);
        } else {
            code.mov_constant(ARGUMENTS[0], (caches + argument * cache_bytes) as u64);
        }
        code.mov(Bits64, ARGUMENTS[1], FRAME.at(OWNER));
        call_address(code, is_whole);
        code.test_byte(RESULT);
        code.jump_if(Equal, found);
        code.bind(next);
    }
    let checked = code.label();
    code.mov_constant(ADDRESS, context.exposed_count as u64);
    code.cmp_constant(Bits64, ADDRESS.at(0), 0);
    code.jump_if(Equal, checked);
    code.bind(found);
    call_with_owner(code, context.check_fences);
    code.bind(checked);
    load_result(code);
    code.bind(whole);
}

/// The address of a part of memory.
fn address_at(memory: usize, at: i32) -> u64 {
    memory as u64 + at as u64
}

/// Puts `RESULT` into the argument buffer, as the result. Others who are writing it see that.
fn store_result(code: &mut Assembler, result_at: i32, context: TrampolineContext) {
    code.mov_constant(SHARED, context.arg_buffer as u64);
    code.store(SHARED.at(result_at), RESULT);
    code.mov(Bits32, AFTER, SHARED.at(context.epoch_at));
    code.increment(AFTER);
    code.and_bits(AFTER, i32::MAX as u32);
    code.store32(SHARED.at(context.epoch_at), AFTER);
}

/// Calls a function of the package with the owner of the entry.
fn call_with_owner(code: &mut Assembler, function: usize) {
    code.mov(Bits64, ARGUMENTS[0], FRAME.at(OWNER));
    call_address(code, function);
}

/// Calls the function at an address.
fn call_address(code: &mut Assembler, function: usize) {
    code.mov_constant(CALLEE, function as u64);
    code.call(CALLEE);
}

fn save_result(code: &mut Assembler) {
    code.store(FRAME.at(KEPT_RESULT), RESULT);
    code.store_double(FRAME.at(KEPT_FLOAT_RESULT), FLOAT_RESULT);
}

fn load_result(code: &mut Assembler) {
    code.mov(Bits64, RESULT, FRAME.at(KEPT_RESULT));
    code.load_double(FLOAT_RESULT, FRAME.at(KEPT_FLOAT_RESULT));
}

/// Returns an address as a double; one beyond 2^53-1 goes to the argument buffer, and -1 is returned.
fn return_pointer(code: &mut Assembler, result_at: i32, context: TrampolineContext) {
    let is_large = code.label();
    code.mov(Bits64, AFTER, RESULT);
    code.shr(AFTER, 53);
    code.jump_if(NotEqual, is_large);
    code.clear_float(FLOAT_RESULT);
    code.integer_to_double(FLOAT_RESULT, RESULT);
    code.leave_frame();
    code.bind(is_large);
    store_result(code, result_at, context);
    code.mov_constant(RESULT, (-1f64).to_bits());
    code.movq(FLOAT_RESULT, RESULT);
}

/// The registers of floating-point arguments that a call of [`resolver`] keeps, next to `KEPT`.
const KEPT_FLOATS: u8 = 8;

/// The code by which a trampoline finds the block of a view: `function(receiver, second argument, value, context)`. It
/// keeps all registers but those for conversions and the first two of arguments.
pub fn resolver(function: usize, context: usize) -> Vec<u8> {
    let mut code = Assembler::default();
    code.enter_frame();
    let kept = (KEPT.len() as i32 + i32::from(KEPT_FLOATS)) * 8;
    code.sub_constant(STACK, (kept - MISALIGNED + 15) / 16 * 16 + MISALIGNED);
    let word = |number: usize| FRAME.at((number as i32 + 1) * -8);
    let integers = || KEPT.into_iter().enumerate().map(|(number, register)| (register, word(number)));
    let floats = || (0..KEPT_FLOATS).map(|number| (Float(number), word(KEPT.len() + usize::from(number))));
    integers().for_each(|(register, to)| code.store(to, register));
    floats().for_each(|(register, to)| code.store_double(to, register));
    code.mov(Bits32, ARGUMENTS[2], VALUE);
    code.mov_constant(ARGUMENTS[3], context as u64);
    call_address(&mut code, function);
    integers().for_each(|(register, from)| code.mov(Bits64, register, from));
    floats().for_each(|(register, from)| code.load_double(register, from));
    code.leave_frame();
    code.finish()
}

/// The code that calls `function(receiver, second, third, context)`.
pub fn with_context(function: usize, context: usize) -> Vec<u8> {
    let mut code = Assembler::default();
    code.mov_constant(ARGUMENTS[3], context as u64);
    code.mov_constant(CALLEE, function as u64);
    code.jmp_to(CALLEE);
    code.finish()
}

#[cfg(test)]
mod tests;
