//! What a kill, a refusal or a lost answer interrupts: `halfway` is about moves that were cut in
//! two, `late` about claims that land after they were given up, `leftovers` about what is left in the
//! repository, `own_push` about pushes whose answer was lost.

mod halfway;
mod late;
mod leftovers;
mod own_push;
