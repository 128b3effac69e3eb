//! Finds the way from a leaf up, among certificates in any order.

use std::cmp::Reverse;

use jiff::Timestamp;

use crate::certificate::Certificate;

/// Signature checks per bundle; a real one needs a handful.
const MAX_CHECKS: usize = 300;
/// Ways up that are compared; cross-signed authorities make two or three.
const MAX_WAYS: usize = 64;
/// The longest way up, the leaf not counted.
const MAX_LENGTH: usize = 10;

/// Where each certificate of a pile belongs.
pub(crate) struct Sorted {
    /// Intermediates in issuing order.
    pub(crate) chain: Vec<Certificate>,
    /// The self-signed end of the chain, when the pile has it.
    pub(crate) root: Option<Certificate>,
    /// On another way from the leaf up than the chosen one.
    pub(crate) alternatives: Vec<Certificate>,
    pub(crate) unrelated: Vec<Certificate>,
    /// Whether the pile had the chain, and after it the root, in issuing order.
    pub(crate) in_order: bool,
}

struct Search<'a> {
    pile: &'a [Certificate],
    /// Remembered answers: does `pile[above]` certify the one `below` (the leaf is one past the end)?
    known: Vec<Option<bool>>,
    checks: usize,
    ways: Vec<Vec<usize>>,
}

/// Sorts `pile`, which does not contain the leaf.
///
/// Of several ways up, the one wins whose certificates, the leaf counted and the root not, because nobody sends it, stay
/// valid longest; then one that ends in a self-signed certificate, then the one that with it stays valid longest, then the
/// shortest.
pub(crate) fn sort(leaf: &Certificate, pile: Vec<Certificate>) -> Sorted {
    let size = pile.len();
    let mut search = Search { pile: &pile, known: vec![None; size * (size + 1)], checks: 0, ways: Vec::new() };
    if !leaf.is_self_signed() {
        search.climb(leaf, size, &mut Vec::new());
    }
    let ways = search.ways;
    let ends_in_root = |way: &Vec<usize>| way.last().is_some_and(|&last| pile[last].is_self_signed());
    let best = ways.iter().max_by_key(|way| {
        let until = |way: &[usize]| way.iter().map(|&at| pile[at].not_after()).fold(leaf.not_after(), Timestamp::min);
        let sent = &way[..way.len() - usize::from(ends_in_root(way))];
        let valid_until = way.iter().map(|&at| pile[at].not_after()).min();
        (until(sent), ends_in_root(way), valid_until, Reverse(way.len()))
    });
    let best = best.cloned().unwrap_or_default();
    let on_any_way: Vec<bool> = (0..size).map(|at| ways.iter().any(|way| way.contains(&at))).collect();
    let rooted = ends_in_root(&best);
    let (mut alternatives, mut unrelated) = (Vec::new(), Vec::new());
    let mut slots: Vec<Option<Certificate>> = pile.into_iter().map(Some).collect();
    let in_order = best.is_sorted();
    let mut chain: Vec<Certificate> = best.iter().filter_map(|&at| slots[at].take()).collect();
    let root = if rooted { chain.pop() } else { None };
    for (at, slot) in slots.into_iter().enumerate() {
        match slot {
            Some(certificate) if on_any_way[at] => alternatives.push(certificate),
            Some(certificate) => unrelated.push(certificate),
            None => {}
        }
    }
    Sorted { chain, root, alternatives, unrelated, in_order }
}

impl Search<'_> {
    fn climb(&mut self, below: &Certificate, below_at: usize, way: &mut Vec<usize>) {
        let mut higher = false;
        if way.len() < MAX_LENGTH && !(below_at < self.pile.len() && below.is_self_signed()) {
            for above in 0..self.pile.len() {
                if self.ways.len() >= MAX_WAYS {
                    return;
                }
                // The same authority twice on one way means going in circles.
                let seen = way.iter().any(|&at| self.pile[at].facts.public == self.pile[above].facts.public);
                if !seen && self.certifies(above, below, below_at) {
                    higher = true;
                    way.push(above);
                    let pile = self.pile;
                    self.climb(&pile[above], above, way);
                    way.pop();
                }
            }
        }
        if !higher && !way.is_empty() {
            self.ways.push(way.clone());
        }
    }

    fn certifies(&mut self, above: usize, below: &Certificate, below_at: usize) -> bool {
        let slot = below_at * self.pile.len() + above;
        if let Some(answer) = self.known[slot] {
            return answer;
        }
        let answer = below.may_be_issued_by(&self.pile[above]) && self.checks < MAX_CHECKS && {
            self.checks += 1;
            below.is_signed_by(&self.pile[above])
        };
        self.known[slot] = Some(answer);
        answer
    }
}
