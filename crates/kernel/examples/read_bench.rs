fn main() {
    let t = std::time::Instant::now();
    let s = kernel::read::read(&Default::default()).unwrap();
    println!("{:?} {} namespaces", t.elapsed(), s.namespaces.len());
    for n in s.namespaces.values().take(6) {
        println!("{:?}", n);
        println!("--- {}", s.name_of(n.id));
    }
    println!("{:#?}", s.warnings);
}
