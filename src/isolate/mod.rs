//! The parent's side of isolation, and what it shares with the host (`src/host/`).

pub mod death_report;
