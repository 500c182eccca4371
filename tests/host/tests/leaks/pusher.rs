//! A client that is not ours, against what a server asks before it takes anything.
