//! A generated network: a lab file in parts that can be taken away one by one.

use std::fmt;

/// What the names of ip6tables' tables begin with, among those of a namespace.
pub(crate) const IP6: &str = "ip6 ";
/// And those of iptables-legacy's, behind that.
pub(crate) const LEGACY: &str = "legacy ";

/// A network, as the generator makes it and shrinking takes it apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Network {
    pub(crate) spaces: Vec<Space>,
}

/// A namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) name: String,
    pub(crate) inside: Option<String>,
    pub(crate) links: Vec<Link>,
    /// Lines of lists: `routes`, `rules`, `neighbours`, `fdb`.
    pub(crate) lists: Vec<(&'static str, String)>,
    pub(crate) sysctls: Vec<(String, String)>,
    pub(crate) ipsets: Vec<IpSet>,
    pub(crate) chains: Vec<Chain>,
    pub(crate) nft: Vec<NftChain>,
    /// Sets of nftables: table, name, what it is as YAML.
    pub(crate) nft_sets: Vec<(&'static str, &'static str, String)>,
    pub(crate) tcp: Vec<u16>,
    pub(crate) udp: Vec<u16>,
}

/// A link, or what is said of one that another entry makes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) name: String,
    /// Key and value, ready for YAML.
    pub(crate) options: Vec<(String, String)>,
    pub(crate) addresses: Vec<String>,
}

/// A set of ipset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct IpSet {
    pub(crate) name: String,
    /// Its type and options, ready for YAML.
    pub(crate) what: String,
    pub(crate) entries: Vec<String>,
}

/// A chain of a table of iptables; of one of ip6tables, where the table's name begins with `ip6 `; of one of
/// iptables-legacy's, where `legacy ` is before its own name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chain {
    pub(crate) table: &'static str,
    pub(crate) name: &'static str,
    pub(crate) drop: bool,
    pub(crate) rules: Vec<String>,
}

/// A chain of a table of nftables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NftChain {
    /// Family and name.
    pub(crate) table: &'static str,
    pub(crate) name: &'static str,
    /// Empty: other chains lead here.
    pub(crate) hook: String,
    pub(crate) drop: bool,
    pub(crate) rules: Vec<String>,
}

impl Space {
    pub(crate) fn list(&mut self, of: &'static str, line: impl Into<String>) {
        self.lists.push((of, line.into()));
    }

    pub(crate) fn sysctl(&mut self, key: impl Into<String>, value: impl fmt::Display) {
        let key = key.into();
        if !self.sysctls.iter().any(|(k, _)| *k == key) {
            self.sysctls.push((key, value.to_string()));
        }
    }

    /// Adds a rule to a chain, before or behind those that are there.
    pub(crate) fn rule(
        &mut self,
        table: &'static str,
        name: &'static str,
        rule: String,
        first: bool,
    ) {
        let rules = &mut self.chain(table, name).rules;
        let at = if first { 0 } else { rules.len() };
        rules.insert(at, rule);
    }

    /// Has a chain of the filter drop what it does not accept.
    pub(crate) fn policy(&mut self, name: &'static str) {
        self.policy_of("filter", name);
    }

    /// Has a base chain drop what it does not accept.
    pub(crate) fn policy_of(&mut self, table: &'static str, name: &'static str) {
        self.chain(table, name).drop = true;
    }

    fn chain(&mut self, table: &'static str, name: &'static str) -> &mut Chain {
        let is = |c: &Chain| (c.table, c.name) == (table, name);
        let at = self.chains.iter().position(is).unwrap_or_else(|| {
            // Beside those of its table.
            let at = self.chains.iter().rposition(|c| c.table == table);
            let at = at.map_or(self.chains.len(), |n| n + 1);
            self.chains.insert(at, Chain { table, name, drop: false, rules: Vec::new() });
            at
        });
        &mut self.chains[at]
    }

    pub(crate) fn link(&mut self, name: &str) -> Option<&mut Link> {
        self.links.iter_mut().find(|l| l.name == name)
    }
}

impl Link {
    /// It is not brought up.
    pub(crate) fn is_down(&self) -> bool {
        self.options.iter().any(|(key, value)| key == "up" && value == "false")
    }

    pub(crate) fn set(&mut self, key: &str, value: impl fmt::Display) {
        // What is drawn twice is said once.
        self.options.retain(|(said, _)| said != key);
        self.options.push((key.to_owned(), value.to_string()));
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "name: oracle\nnamespaces:")?;
        self.spaces.iter().try_for_each(|space| space.fmt(f))
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  {}:", self.name)?;
        if let Some(inside) = &self.inside {
            writeln!(f, "    inside: {inside}")?;
        }
        if !self.links.is_empty() {
            writeln!(f, "    links:")?;
            self.links.iter().try_for_each(|link| link.fmt(f))?;
        }
        // Those of a kind together, in the order in which the first of each was drawn.
        let mut kinds: Vec<&str> = Vec::new();
        for (of, _) in &self.lists {
            kinds.extend(Some(*of).filter(|of| !kinds.contains(of)));
        }
        for of in kinds {
            let mut lines = self.lists.iter().filter(|(o, _)| *o == of).peekable();
            if lines.peek().is_some() {
                writeln!(f, "    {of}:")?;
                lines.try_for_each(|(_, line)| writeln!(f, "      - {{{line}}}"))?;
            }
        }
        if !self.sysctls.is_empty() {
            writeln!(f, "    sysctls:")?;
            let mut all = self.sysctls.iter();
            all.try_for_each(|(key, value)| writeln!(f, "      {key}: {value}"))?;
        }
        if !self.ipsets.is_empty() {
            writeln!(f, "    ipsets:")?;
            self.ipsets.iter().try_for_each(|set| set.fmt(f))?;
        }
        self.tables(f)?;
        self.nft_tables(f)?;
        if !self.tcp.is_empty() || !self.udp.is_empty() {
            writeln!(f, "    services: {{tcp: {:?}, udp_echo: {:?}}}", self.tcp, self.udp)?;
        }
        Ok(())
    }
}

impl Space {
    fn tables(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut tables: Vec<&str> = self.chains.iter().map(|c| c.table).collect();
        tables.dedup();
        for (tool, six, legacy) in [
            ("iptables", false, false),
            ("ip6tables", true, false),
            ("iptables_legacy", false, true),
            ("ip6tables_legacy", true, true),
        ] {
            let is = |table: &&str| {
                let own = table.trim_start_matches(IP6);
                (table.starts_with(IP6), own.starts_with(LEGACY)) == (six, legacy)
            };
            let of: Vec<&str> = tables.iter().copied().filter(is).collect();
            self.tables_of(f, tool, &of)?;
        }
        Ok(())
    }

    fn tables_of(&self, f: &mut fmt::Formatter<'_>, tool: &str, tables: &[&str]) -> fmt::Result {
        if !tables.is_empty() {
            writeln!(f, "    {tool}:")?;
        }
        for table in tables {
            writeln!(f, "      {}:", table.trim_start_matches(IP6).trim_start_matches(LEGACY))?;
            for chain in self.chains.iter().filter(|c| c.table == *table) {
                writeln!(f, "        {}:", chain.name)?;
                if chain.drop {
                    writeln!(f, "          policy: DROP")?;
                }
                writeln!(f, "          rules:")?;
                chain.rules.iter().try_for_each(|rule| writeln!(f, "            - {rule:?}"))?;
            }
        }
        Ok(())
    }
}

impl Space {
    fn nft_tables(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of_sets = self.nft_sets.iter().map(|(table, ..)| *table);
        let mut tables: Vec<&str> = self.nft.iter().map(|c| c.table).chain(of_sets).collect();
        tables.sort_unstable();
        tables.dedup();
        if !tables.is_empty() {
            writeln!(f, "    nft:")?;
        }
        for table in tables {
            writeln!(f, "      {table}:")?;
            let mut sets = self.nft_sets.iter().filter(|(t, ..)| *t == table).peekable();
            if sets.peek().is_some() {
                writeln!(f, "        sets:")?;
                sets.try_for_each(|(_, name, what)| writeln!(f, "          {name}: {{{what}}}"))?;
            }
            writeln!(f, "        chains:")?;
            self.nft.iter().filter(|c| c.table == table).try_for_each(|c| write!(f, "{c}"))?;
        }
        Ok(())
    }
}

impl fmt::Display for IpSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "      {}: {{{}, entries: {:?}}}", self.name, self.what, self.entries)
    }
}

impl fmt::Display for NftChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "          {}:", self.name)?;
        if !self.hook.is_empty() {
            writeln!(f, "            hook: {:?}", self.hook)?;
        }
        if self.drop {
            writeln!(f, "            policy: drop")?;
        }
        writeln!(f, "            rules:")?;
        self.rules.iter().try_for_each(|rule| writeln!(f, "              - {rule:?}"))
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> =
            self.options.iter().map(|(key, value)| format!("{key}: {value}")).collect();
        if !self.addresses.is_empty() {
            let quoted: Vec<String> = self.addresses.iter().map(|a| format!("{a:?}")).collect();
            parts.push(format!("addresses: [{}]", quoted.join(", ")));
        }
        writeln!(f, "      {}: {{{}}}", self.name, parts.join(", "))
    }
}

/// One part that a network can be without.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Part {
    Space(usize),
    Link(usize, usize),
    Option(usize, usize, usize),
    Address(usize, usize, usize),
    List(usize, usize),
    Sysctl(usize, usize),
    IpSetEntry(usize, usize, usize),
    Chain(usize, usize),
    Rule(usize, usize, usize),
    Policy(usize, usize),
    NftChain(usize, usize),
    NftRule(usize, usize, usize),
    NftPolicy(usize, usize),
    Services(usize),
}

impl Network {
    /// The namespace of that name.
    pub(crate) fn space(&self, name: &str) -> Option<&Space> {
        self.spaces.iter().find(|s| s.name == name)
    }

    /// All its parts, the largest first.
    pub(crate) fn parts(&self) -> Vec<Part> {
        let mut parts: Vec<Part> = (0..self.spaces.len()).map(Part::Space).collect();
        for (s, space) in self.spaces.iter().enumerate() {
            parts.extend((0..space.links.len()).map(|l| Part::Link(s, l)));
            parts.extend((0..space.chains.len()).map(|c| Part::Chain(s, c)));
            parts.extend((0..space.lists.len()).map(|l| Part::List(s, l)));
            // Those of neighbours keep a case short, and are no part of what is wrong.
            let quick = |key: &str| key.starts_with("net/") && key.contains("/neigh/");
            let may_go = |n: &usize| !quick(&space.sysctls[*n].0);
            let settings = (0..space.sysctls.len()).filter(may_go);
            parts.extend(settings.map(|n| Part::Sysctl(s, n)));
            parts.push(Part::Services(s));
            for (l, link) in space.links.iter().enumerate() {
                parts.extend((0..link.addresses.len()).map(|a| Part::Address(s, l, a)));
                parts.extend((0..link.options.len()).map(|o| Part::Option(s, l, o)));
            }
            for (n, set) in space.ipsets.iter().enumerate() {
                parts.extend((0..set.entries.len()).map(|e| Part::IpSetEntry(s, n, e)));
            }
            parts.extend((0..space.nft.len()).map(|c| Part::NftChain(s, c)));
            for (c, chain) in space.nft.iter().enumerate() {
                parts.extend((0..chain.rules.len()).map(|r| Part::NftRule(s, c, r)));
                parts.push(Part::NftPolicy(s, c));
            }
            for (c, chain) in space.chains.iter().enumerate() {
                parts.extend((0..chain.rules.len()).map(|r| Part::Rule(s, c, r)));
                parts.push(Part::Policy(s, c));
            }
        }
        parts
    }

    /// The network without that part, and without what speaks of it.
    pub(crate) fn without(&self, part: Part) -> Self {
        let mut less = self.clone();
        match part {
            Part::Space(s) => {
                let name = less.spaces.remove(s).name;
                for space in &mut less.spaces {
                    space.inside.take_if(|inside| *inside == name);
                    let far = format!("\"{name}:");
                    let joined =
                        |link: &Link| link.options.iter().any(|(_, v)| v.starts_with(&far));
                    let gone: Vec<String> =
                        space.links.iter().filter(|l| joined(l)).map(|l| l.name.clone()).collect();
                    gone.iter().for_each(|link| space.forget(link));
                }
                let ends: Vec<(String, String)> = self.spaces[s].far_ends().collect();
                less.forget_ends(&ends);
            }
            Part::Link(s, l) => {
                let ends: Vec<(String, String)> = self.spaces[s].links[l].far_end().collect();
                let name = self.spaces[s].links[l].name.clone();
                less.spaces[s].forget(&name);
                less.forget_ends(&ends);
            }
            Part::Option(s, l, o) => _ = less.spaces[s].links[l].options.remove(o),
            Part::Address(s, l, a) => _ = less.spaces[s].links[l].addresses.remove(a),
            Part::List(s, l) => _ = less.spaces[s].lists.remove(l),
            Part::Sysctl(s, n) => _ = less.spaces[s].sysctls.remove(n),
            Part::IpSetEntry(s, n, e) => _ = less.spaces[s].ipsets[n].entries.remove(e),
            Part::Chain(s, c) => _ = less.spaces[s].chains.remove(c),
            Part::Rule(s, c, r) => _ = less.spaces[s].chains[c].rules.remove(r),
            Part::Policy(s, c) => less.spaces[s].chains[c].drop = false,
            Part::NftChain(s, c) => _ = less.spaces[s].nft.remove(c),
            Part::NftRule(s, c, r) => _ = less.spaces[s].nft[c].rules.remove(r),
            Part::NftPolicy(s, c) => less.spaces[s].nft[c].drop = false,
            Part::Services(s) => {
                less.spaces[s].tcp.clear();
                less.spaces[s].udp.clear();
            }
        }
        less
    }

    fn forget_ends(&mut self, ends: &[(String, String)]) {
        for (ns, link) in ends {
            if let Some(space) = self.spaces.iter_mut().find(|s| s.name == *ns) {
                space.forget(link);
            }
        }
    }
}

impl Space {
    fn forget(&mut self, link: &str) {
        self.links.retain(|l| l.name != link);
        let quoted = format!("dev: {link}");
        self.lists.retain(|(_, line)| !line.split(", ").any(|part| part == quoted));
        let named = format!("/{link}/");
        self.sysctls.retain(|(key, _)| !key.contains(&named));
        for other in &mut self.links {
            other.options.retain(|(key, value)| !(key == "bridge" && value == link));
        }
    }

    fn far_ends(&self) -> impl Iterator<Item = (String, String)> {
        self.links.iter().flat_map(Link::far_end)
    }
}

impl Link {
    fn far_end(&self) -> impl Iterator<Item = (String, String)> {
        let peers = self.options.iter().filter(|(key, _)| key == "peer");
        peers.filter_map(|(_, value)| {
            let (ns, link) = value.trim_matches('"').split_once(':')?;
            Some((ns.to_owned(), link.to_owned()))
        })
    }
}
