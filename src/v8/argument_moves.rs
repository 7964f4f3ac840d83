//! The arguments in the code of a fast call: from where V8 passes them to where C expects them.

use super::array_buffer_view::ViewLayout;
use super::assembler::Condition::{Above, Equal, Negative, NotEqual, NotNegative, Unordered};
use super::assembler::Width::{Bits32, Bits64};
use super::assembler::roles::{ADDRESS, ARGUMENTS, BACK, CONVERTED, OTHER, SHARED, STACK, STACK_ARGUMENTS, VALUE};
use super::assembler::{Assembler, Float, Label, Memory, Register};
use super::fast_signature::Source;
use super::verify::Maps;
use crate::abi::calling_sequence::CallingSequence;
use crate::abi::native::{float_register, integer_register, stack_word};

/// The place of an argument on the stack before the trampoline pushes anything.
fn stack_argument(word: i32) -> Memory {
    STACK.at(STACK_ARGUMENTS + word * 8)
}

/// The addresses and offsets that trampolines need for arguments that are views.
#[derive(Clone, Copy, Debug)]
pub struct ViewContext {
    /// Where V8 has the parts of a view.
    pub layout: ViewLayout,
    /// By argument, the cache of the block that was passed last, and its size in bytes.
    pub caches: usize,
    pub cache_bytes: usize,
    /// Where it has the address of the data, its length, and the number of forgotten blocks.
    pub data_at: i32,
    pub length_at: i32,
    pub forgotten_at: i32,
    /// By argument, a byte: the number of the cache.
    pub last_blocks: usize,
    /// A word: the number of forgotten blocks now.
    pub forgotten: usize,
    /// The code by which a trampoline finds the block of another view.
    pub resolve: usize,
    /// `extern "C" fn(cache, owner of the entry) -> bool`: whether the block is whole after a call.
    pub is_whole: usize,
}

/// How a trampoline takes an argument that is an address.
#[derive(Clone, Copy, Debug)]
pub struct AddressArgument {
    /// Its position.
    pub argument: usize,
    /// Where the address is put in the shared memory.
    pub to: i32,
    /// Where the bits of the pins are there.
    pub pins: i32,
    /// The address of the word that is 0 while no number can be that of a pool slice.
    pub slice_count: usize,
    /// Whether NaN stands for a text, whose address is there already.
    pub takes_texts: bool,
}

impl AddressArgument {
    fn bit(self) -> u32 {
        1 << self.argument
    }

    /// Puts an address into the shared memory: a double that is an integer from 0 to 2^53-1. Misses the call if the
    /// address may be that of a pool slice, whose neighbours have to be recorded.
    pub fn convert_double(self, code: &mut Assembler, source: Source, miss: Label) {
        match source {
            Source::Float(number) => code.movaps(CONVERTED, Float(number)),
            Source::Stack(word) => code.load_double(CONVERTED, stack_argument(word)),
            Source::Register(_) | Source::Shared(_) => return,
        }
        let (is_integer, done) = (code.label(), code.label());
        self.store_double(code, is_integer, done, miss);
        code.bind(done);
    }

    /// The same for the double in `CONVERTED`, and from `is_integer` on for the integer in `VALUE`. Goes to `done`.
    fn store_double(self, code: &mut Assembler, is_integer: Label, done: Label, miss: Label) {
        let (is_no_number, store) = (code.label(), code.label());
        convert_integer(code, if self.takes_texts { is_no_number } else { miss }, miss);
        code.bind(is_integer);
        code.mov(Bits64, ADDRESS, VALUE);
        code.shr(ADDRESS, 53);
        code.jump_if(NotEqual, miss);
        code.mov_constant(ADDRESS, self.slice_count as u64);
        code.cmp_constant(Bits64, ADDRESS.at(0), 0);
        code.jump_if(Equal, store);
        code.test(Bits64, VALUE);
        code.jump_if(NotEqual, miss);
        code.bind(store);
        code.store(SHARED.at(self.to), VALUE);
        code.jmp(done);
        code.bind(is_no_number);
        if self.takes_texts {
            code.test_bits(SHARED.at(self.pins), self.bit());
            code.jump_if(Equal, miss);
            code.jmp(done);
        }
    }

    /// Puts the address of a view into the shared memory, and sets the bit of its pin. Where `takes_numbers`, the value
    /// may be a number as well. The block of the view is that which was passed last in this place, or else
    /// `views.resolve` finds it.
    pub fn convert_view(
        self,
        code: &mut Assembler,
        source: Source,
        takes_numbers: bool,
        (views, maps): (&ViewContext, Maps),
        miss: Label,
    ) {
        let (refresh, found, done) = (code.label(), code.label(), code.label());
        load_value(code, source);
        let (is_small, is_number, is_integer) = (code.label(), code.label(), code.label());
        if takes_numbers {
            code.test_bits(VALUE, 1);
            code.jump_if(Equal, is_small);
            code.mov_constant(ADDRESS, maps.number as u64);
            code.cmp(ADDRESS, VALUE.at(-1));
            code.jump_if(Equal, is_number);
        }
        let cache = views.caches + self.argument * views.cache_bytes;
        // A view of the whole block: its buffer has the block, so that it was not detached, and the lengths are equal.
        code.mov(Bits64, ADDRESS, VALUE.at(views.layout.buffer - 1));
        code.mov_constant(OTHER, cache as u64);
        code.mov(Bits64, ADDRESS, ADDRESS.at(views.layout.store - 1));
        code.mov(Bits64, VALUE, VALUE.at(views.layout.length - 1));
        code.cmp(ADDRESS, OTHER.at(views.data_at));
        code.jump_if(NotEqual, refresh);
        code.cmp(VALUE, OTHER.at(views.length_at));
        code.jump_if(NotEqual, refresh);
        code.mov_constant(VALUE, views.forgotten as u64);
        code.load_acquire(VALUE, VALUE);
        code.cmp(VALUE, OTHER.at(views.forgotten_at));
        code.jump_if(Equal, found);
        code.bind(refresh);
        load_handle(code, ARGUMENTS[1], source);
        code.mov_constant32(VALUE, self.argument as u32);
        code.mov_constant(ADDRESS, views.resolve as u64);
        code.call_without_frame(ADDRESS);
        code.test_bits(SHARED.at(self.pins), self.bit());
        code.jump_if(Equal, miss);
        code.jmp(done);
        if takes_numbers {
            code.bind(is_small);
            code.sar(VALUE, 32); // A small integer is in the upper half.
            code.jmp(is_integer);
            code.bind(is_number);
            code.load_double(CONVERTED, VALUE.at(7));
            self.store_double(code, is_integer, done, miss);
        }
        code.bind(found);
        code.store(SHARED.at(self.to), ADDRESS);
        code.or_bits(SHARED.at(self.pins), self.bit());
        // Another signature may have a text in this place.
        code.mov_constant(VALUE, (views.last_blocks + self.argument) as u64);
        code.store_byte(VALUE.at(0), self.argument as u8);
        code.bind(done);
    }
}

/// The address of the word with a value: V8 passes it as a handle.
fn load_handle(code: &mut Assembler, to: Register, source: Source) {
    match source {
        Source::Register(number) => code.mov(Bits64, to, Register(number)),
        Source::Stack(word) => code.mov(Bits64, to, stack_argument(word)),
        Source::Float(_) | Source::Shared(_) => {}
    }
}

/// Puts the value that V8 passes as a handle into `VALUE`.
fn load_value(code: &mut Assembler, source: Source) {
    let handle = match source {
        Source::Register(number) => Register(number),
        _ => {
            load_handle(code, VALUE, source);
            VALUE
        }
    };
    code.mov(Bits64, VALUE, handle.at(0));
}

/// Converts the double in `CONVERTED` to an integer in `VALUE`. Goes to `unordered` for NaN, and misses the call for
/// every other double that is no integer of 64 bits. On arm64 2^63 becomes 2^63-1; the callers refuse both.
fn convert_integer(code: &mut Assembler, unordered: Label, miss: Label) {
    code.double_to_integer(VALUE, CONVERTED);
    code.clear_float(BACK);
    code.integer_to_double(BACK, VALUE);
    code.compare_doubles(BACK, CONVERTED);
    code.jump_if(Unordered, unordered);
    code.jump_if(NotEqual, miss);
}

/// Replaces a handle by its integer of 64 bits. V8's objects (a heap number: its double after the map; a BigInt: a word
/// whose lowest bit is the sign and the rest the number of digits, then the digits) are laid out as was found for
/// [`Maps`].
pub fn convert_long(code: &mut Assembler, source: Source, is_signed: bool, maps: Maps, miss: Label) {
    load_value(code, source);
    let (is_small, is_number, is_integer, done) = (code.label(), code.label(), code.label(), code.label());
    code.test_bits(VALUE, 1);
    code.jump_if(Equal, is_small);
    code.mov_constant(ADDRESS, maps.bigint as u64);
    code.cmp(ADDRESS, VALUE.at(-1));
    code.jump_if(NotEqual, is_number);
    convert_bigint(code, is_signed, miss, done);
    code.bind(is_number);
    code.mov_constant(ADDRESS, maps.number as u64);
    code.cmp(ADDRESS, VALUE.at(-1));
    code.jump_if(NotEqual, miss);
    code.load_double(CONVERTED, VALUE.at(7));
    convert_integer(code, miss, miss);
    // From 2^53 on a double is not exact. |value| <= 2^53-1 is one unsigned comparison.
    code.mov_constant(ADDRESS, (1 << 53) - 1);
    code.lea_sum(OTHER, VALUE, ADDRESS);
    code.add(ADDRESS, ADDRESS);
    code.cmp(OTHER, ADDRESS);
    code.jump_if(Above, miss);
    code.jmp(is_integer);
    code.bind(is_small);
    code.sar(VALUE, 32); // A small integer is in the upper half.
    code.bind(is_integer);
    if !is_signed {
        code.test(Bits64, VALUE);
        code.jump_if(Negative, miss);
    }
    code.bind(done);
    match source {
        Source::Register(number) => code.mov(Bits64, Register(number), VALUE),
        Source::Stack(word) => code.store(stack_argument(word), VALUE),
        Source::Float(_) | Source::Shared(_) => {}
    }
}

/// The value of the BigInt in `VALUE`, of one digit or none.
fn convert_bigint(code: &mut Assembler, is_signed: bool, miss: Label, done: Label) {
    let (is_not_positive, is_zero) = (code.label(), code.label());
    code.mov(Bits32, ADDRESS, VALUE.at(7));
    code.cmp_constant(Bits32, ADDRESS, 2);
    code.jump_if(NotEqual, is_not_positive);
    code.mov(Bits64, VALUE, VALUE.at(15));
    if is_signed {
        code.test(Bits64, VALUE);
        code.jump_if(Negative, miss);
    }
    code.jmp(done);
    code.bind(is_not_positive);
    if is_signed {
        code.cmp_constant(Bits32, ADDRESS, 3);
        code.jump_if(NotEqual, is_zero);
        code.mov(Bits64, VALUE, VALUE.at(15));
        code.neg(VALUE);
        code.jump_if(NotNegative, miss);
        code.jmp(done);
    }
    // Zero has no digits; nothing else that comes here fits.
    code.bind(is_zero);
    code.mov(Bits32, VALUE, ADDRESS);
    code.test(Bits32, ADDRESS);
    code.jump_if(NotEqual, miss);
    code.jmp(done);
}

/// Moves the arguments into C's registers and onto its stack, which begins at `STACK`. V8's own stack arguments begin
/// at `stack`.
pub fn move_arguments(code: &mut Assembler, sequence: &CallingSequence, sources: &[Source], stack: Memory) {
    let moves = || sources.iter().copied().zip(&sequence.steps);
    let stack_argument = |word: i32| stack.plus(word * 8);
    // The stack comes first, while every register still holds what V8 has put there.
    for (source, step) in moves() {
        let Some(to) = stack_word(*step).map(|word| STACK.at(word as i32 * 8)) else { continue };
        match source {
            Source::Register(number) => code.store(to, Register(number)),
            Source::Float(number) => code.store_double(to, Float(number)),
            Source::Stack(word) => {
                code.mov(Bits64, VALUE, stack_argument(word));
                code.store(to, VALUE);
            }
            Source::Shared(at) => {
                code.mov(Bits64, VALUE, SHARED.at(at));
                code.store(to, VALUE);
            }
        }
    }
    // Then the integer registers that V8 has filled. Those whose value moves up come first, the last one first; then
    // those whose value moves down. So no value is overwritten before it has moved. Floats only move down.
    let position = |number: u8| ARGUMENTS.iter().position(|other| other.0 == number);
    let (up, down): (Vec<_>, Vec<_>) = moves()
        .filter_map(|(source, step)| match (source, integer_register(*step)) {
            (Source::Register(from), Some(to)) => Some((from, ARGUMENTS[to].0)),
            _ => None,
        })
        .partition(|(from, to)| position(*to) > position(*from));
    for (from, to) in up.into_iter().rev().chain(down) {
        code.mov(Bits64, Register(to), Register(from));
    }
    for (source, step) in moves() {
        match (source, integer_register(*step), float_register(*step)) {
            (Source::Float(from), _, Some(to)) if from != to => code.movaps(Float(to), Float(from)),
            (Source::Stack(word), _, Some(to)) => {
                code.mov(Bits64, VALUE, stack_argument(word));
                code.movq(Float(to), VALUE);
            }
            (Source::Stack(word), Some(to), _) => {
                code.mov(Bits64, ARGUMENTS[to], stack_argument(word));
            }
            (Source::Shared(at), Some(to), _) => code.mov(Bits64, ARGUMENTS[to], SHARED.at(at)),
            _ => {}
        }
    }
}
