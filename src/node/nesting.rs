//! How deep calls into C are nested, and how many callbacks of the innermost one have left their handles to its scope.

use std::cell::Cell;

/// Both in one word, which a call takes, adds one level to, and puts back as it was when C has returned.
#[derive(Debug, Default)]
pub struct Nesting(Cell<usize>);

const HALF: u32 = usize::BITS / 2;
/// As many callbacks of a call do without a scope of their own, which would take a tenth of their time. Each leaves two
/// or three handles.
const WITHOUT_SCOPE: usize = 256;

impl Nesting {
    /// The word.
    #[inline]
    pub fn get(&self) -> usize {
        self.0.get()
    }

    /// Puts the word back, or one level more.
    #[inline]
    pub fn set(&self, word: usize) {
        self.0.set(word);
    }

    /// Calls into C that are under way, by their word.
    #[inline]
    pub fn level(word: usize) -> usize {
        word & (usize::MAX >> HALF)
    }

    /// Whether the callback that comes in may leave its handles to the scope of the call that it is under.
    #[inline]
    pub fn spares_scope(&self) -> bool {
        let word = self.0.get();
        let spares = Self::level(word) > 0 && word >> HALF < WITHOUT_SCOPE;
        if spares {
            self.0.set(word + (1 << HALF));
        }
        spares
    }
}
