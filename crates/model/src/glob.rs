/// Whether a pattern with `*` and `?` fits the whole name. A word without them fits nothing here.
#[must_use]
pub fn glob(pattern: &str, name: &str) -> bool {
    if !pattern.contains(['*', '?']) {
        return false;
    }
    let (p, n): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    // Where to go on when the present try fails: behind the last star, one character further.
    let (mut at, mut back) = ((0, 0), None);
    while at.1 < n.len() {
        match p.get(at.0) {
            Some('*') => {
                back = Some(at);
                at.0 += 1;
            }
            Some(c) if *c == '?' || *c == n[at.1] => at = (at.0 + 1, at.1 + 1),
            _ => match back {
                Some((star, from)) => {
                    back = Some((star, from + 1));
                    at = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    p[at.0..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::glob;

    #[test]
    fn stars_and_question_marks() {
        for (pattern, name) in [("web*", "web"), ("w?b-*", "wxb-1"), ("*b*b", "abcb"), ("*", "")] {
            assert!(glob(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in [("web", "web"), ("web?", "web"), ("*a", "ab"), ("?", "")] {
            assert!(!glob(pattern, name), "{pattern} {name}");
        }
    }
}
