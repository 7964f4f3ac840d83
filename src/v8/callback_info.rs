//! The argument of an ordinary native function that V8 calls (`v8::FunctionCallbackInfo`): the arguments, and a place
//! for the result. By V8's headers of `NODE_MODULE_VERSION` 115, 127, 137 and 147.
#![expect(unsafe_code, reason = "reads what V8 has put onto the stack")]

use super::handle::Local;

/// The offsets of its parts. As wide as it is read: a load that is wider than the store before it would have to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub enum InfoLayout {
    /// Three words: of the block with the place for the result, of the first argument, and how many arguments there
    /// are.
    Pointers,
    /// V8's frame of the stack itself, since Node 26.
    Frame,
}

/// `NODE_MODULE_VERSION` of Node 26.
const WITH_FRAMES: u32 = 147;

/// In words. In front of the first argument lies the receiver.
const RESULT_IN_BLOCK: usize = 3;
const RESULT_IN_FRAME: usize = 6;
const FIRST_IN_FRAME: usize = 10;

impl InfoLayout {
    /// The layout of a `NODE_MODULE_VERSION`.
    pub fn of(modules: u32) -> Self {
        if modules >= WITH_FRAMES { Self::Frame } else { Self::Pointers }
    }
}

/// The arguments of the function under way.
#[derive(Clone, Copy, Debug)]
pub struct CallbackInfo {
    at: *mut usize,
    layout: InfoLayout,
}

impl CallbackInfo {
    /// # Safety
    /// M18: `at` is what V8 has called a function of this environment with, which is under way while the value is used,
    /// and has this layout.
    #[inline]
    pub unsafe fn new(at: *mut usize, layout: InfoLayout) -> Self {
        Self { at, layout }
    }

    /// The arguments, as handles: a function from the position. In the place of a missing argument there is the
    /// receiver.
    #[inline(always)]
    pub fn arguments<T>(self) -> impl Fn(usize) -> *mut T {
        // SAFETY: M18, by the contract of `new`; the arguments lie one behind the other.
        let (count, first) = unsafe {
            match self.layout {
                InfoLayout::Frame => (self.at.cast::<i32>().read(), self.at.add(FIRST_IN_FRAME)),
                InfoLayout::Pointers => {
                    (self.at.add(2).cast::<i32>().read(), self.at.add(1).cast::<*mut usize>().read())
                }
            }
        };
        let count = usize::try_from(count).unwrap_or(0);
        // A handle is the address of a word with the value.
        move |at| if at < count { first.wrapping_add(at) } else { first.wrapping_sub(1) }.cast()
    }

    /// Sets the function's return value.
    ///
    /// # Safety
    /// M3: `value` is a handle of the scope of the function.
    #[inline]
    pub unsafe fn set_return_value(self, value: Local) {
        // SAFETY: M18, by the contract of `new`, and M3.
        unsafe {
            let place = match self.layout {
                InfoLayout::Frame => self.at.add(RESULT_IN_FRAME),
                InfoLayout::Pointers => self.at.cast::<*mut usize>().read().add(RESULT_IN_BLOCK),
            };
            place.write(value.cast::<usize>().read());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words behind the first two arguments and the missing third one.
    fn read(info: CallbackInfo) -> [usize; 3] {
        // SAFETY: M18; the words are the test's.
        [0, 1, 2].map(|at| unsafe { info.arguments::<usize>()(at).read() })
    }

    #[test]
    fn a_frame_has_the_arguments_behind_the_result() {
        let mut frame: [usize; 12] = std::array::from_fn(|at| 100 + at);
        frame[0] = 2;
        let mut value = 7usize;
        // SAFETY: M18; the frame is as V8 lays it out, and `value` is what a handle is.
        let info = unsafe {
            let info = CallbackInfo::new(frame.as_mut_ptr(), InfoLayout::of(147));
            info.set_return_value((&raw mut value).cast());
            info
        };
        assert_eq!((read(info), frame[RESULT_IN_FRAME]), ([110, 111, 109], 7));
    }

    #[test]
    fn pointers_lead_to_the_arguments_and_the_result() {
        let (mut block, mut values) = ([0usize; 6], [109usize, 110, 111]);
        let first = values.as_mut_ptr().wrapping_add(1);
        let mut words = [block.as_mut_ptr(), first, std::ptr::without_provenance_mut(2)];
        let mut value = 7usize;
        // SAFETY: M18; the words are as V8 lays them out, and `value` is what a handle is.
        let info = unsafe {
            let info = CallbackInfo::new(words.as_mut_ptr().cast(), InfoLayout::of(137));
            info.set_return_value((&raw mut value).cast());
            info
        };
        assert_eq!((read(info), block[RESULT_IN_BLOCK]), ([110, 111, 109], 7));
    }
}
