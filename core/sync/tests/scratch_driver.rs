#![allow(missing_docs, unreachable_pub, clippy::unwrap_used, clippy::panic)]
extern crate self as alliance_tests;
#[path="../../../tests/src/memory.rs"] pub mod memory;
#[path="../../../tests/src/random.rs"] pub mod random;
#[path="../../../tests/src/world.rs"] pub mod world;
#[path="../../../tests/src/driver.rs"] pub mod driver;
#[path="../../../tests/tests/session_driver.rs"] mod t;
#[test]
fn plain() {
    let mut d = driver::Driver::new(1, 3, alliance_crypto::Rules::ALL);
    d.trace = Some(vec![]);
    for r in 0..3 {
    for a in 0..4 { for b in 0..a {
        let m = d.meet(a,b);
        for l in d.trace.as_mut().unwrap().drain(..) { println!("{:.230}", l); }
        println!("== {r} {a} {b} {m:?}");
    }}
    if r == 0 { d.write_on(1); d.write_on(0); d.write_on(2); }
    }
    for n in &d.nodes { println!("{:?} {}", n.replica.tail(d.space), n.replica.hashes(d.space).len()); }
}
#[test]
fn seeds() {
    let mut bad = vec![];
    for seed in 0..500u64 {
        let r = std::panic::catch_unwind(|| { let mut d = driver::Driver::new(seed, 3, alliance_crypto::Rules::ALL);
        d.storm(600); d.alarms = 0; (d.converge(8), d.alarms) });
        match r { Ok((Some(_), 0)) => {} o => bad.push((seed, o.ok())) }
    }
    println!("bad {} {:?}", bad.len(), &bad[..bad.len().min(12)]);
    if let Some((seed, _)) = bad.first() {
        let mut d = driver::Driver::new(*seed, 3, alliance_crypto::Rules::ALL);
        d.storm(600);
        d.converge(6);
        println!("{:?} forks {} alarms {}", d.faults, d.forks, d.alarms);
        for n in &d.nodes { println!("{:?} {}", n.replica.tail(d.space), n.replica.hashes(d.space).len()); }
        d.trace = Some(vec![]);
        for a in 0..4 { for b in 0..a {
            let m = d.meet(a,b);
            for l in d.trace.as_mut().unwrap().drain(..) { println!("{:.330}", l); }
            println!("== {a} {b} {m:?}");
        }}
    }
}
#[test]
fn one() {
        let seed: u64 = std::env::var("SEED").unwrap().parse().unwrap();
        let mut d = driver::Driver::new(seed, 3, alliance_crypto::Rules::ALL);
        d.storm(600);
        d.alarms = 0;
        d.trace = Some(vec![]);
        for _ in 0..3 { for a in 0..4 { for b in 0..a {
            let m = d.meet(a,b);
            let t = std::mem::take(d.trace.as_mut().unwrap());
            if d.alarms > 0 { for l in t { println!("{:.450}", l); } println!("== {a} {b} {m:?}"); return; }
        }}}
}
#[test]
fn idle() {
        let seed: u64 = std::env::var("SEED").unwrap().parse().unwrap();
        let mut d = driver::Driver::new(seed, 3, alliance_crypto::Rules::ALL);
        d.storm(600);
        d.converge(8);
        d.trace = Some(vec![]);
        for a in 0..4 { for b in 0..a {
            let m = d.meet(a,b);
            let t = std::mem::take(d.trace.as_mut().unwrap());
            if m.bytes > 200 { for l in t { println!("{:.450}", l); } println!("== {a} {b} {m:?}"); return; }
        }}
}
