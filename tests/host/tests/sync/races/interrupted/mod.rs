//! What a kill, a refusal or a lost answer interrupts: `by_hand` is about what people take back of what
//! was decided without the remote, `halfway` about moves that were cut in two, `late` about claims that
//! land after they were given up, `leftovers` about what is left in the repository, `own_push` about
//! pushes whose answer was lost.

mod by_hand;
mod halfway;
mod late;
mod leftovers;
mod own_push;
