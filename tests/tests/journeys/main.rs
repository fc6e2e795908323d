//! The journeys of DOMAIN 2.16, one module each.

mod contract;
mod handing_over;
mod j1;
mod j10;
mod j11;
mod j13;
mod j14;
mod j15;
mod j2;
mod j3;
mod j4;
mod j5;
mod j6;
mod j7;
