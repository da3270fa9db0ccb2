use crate::fixtures::{SEED, network};
use crate::{Style, map};

fn print(text: &str, width: usize) {
    let s = network(text);
    println!("{}", map(&s, None, &Style { width, ..Style::default() }));
}

#[test]
fn eyes() {
    print(SEED, 80);
    print(SEED, 60);
    let s = network(SEED);
    println!("{}", map(&s, None, &Style { ascii: true, ..Style::default() }));
}
