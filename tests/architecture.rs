//! What `docs/ARCHITECTURE.md` and the style promise of the source as a whole: no circles, short files and functions, and a
//! table of modules that is true.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "architecture/source.rs"]
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use source::{File, Module, name};

/// Lines of a file.
const LONGEST_FILE: usize = 350;

/// Lines of a function, from its first one to its closing brace.
const LONGEST_FUNCTION: usize = 50;

/// Read and parsed once for all tests.
static FILES: LazyLock<BTreeMap<Module, File>> = LazyLock::new(source::read);

/// The files that are no tests.
fn product() -> impl Iterator<Item = (&'static Module, &'static File)> {
    FILES.iter().filter(|(_, file)| !file.is_test)
}

#[test]
fn no_two_files_import_each_other_by_whatever_way_but_a_parent_and_its_child() {
    let graph: BTreeMap<&Module, BTreeSet<&Module>> =
        product().map(|(module, file)| (module, strangers(module, file))).collect();
    let reached: BTreeMap<&Module, BTreeSet<&Module>> =
        graph.keys().map(|&module| (module, reach(module, &graph))).collect();

    let mut circles = BTreeSet::new();
    for (&module, there) in reached.iter().filter(|(module, there)| there.contains(*module)) {
        let round = there.iter().filter(|other| reached[**other].contains(module));
        circles.insert(round.copied().collect::<BTreeSet<_>>());
    }

    let told = circles.iter().map(|circle| {
        let edges = circle.iter().map(|module| {
            let next = graph[*module].intersection(circle).map(|next| name(next));
            format!("    {} imports {}\n", name(module), next.collect::<Vec<_>>().join(", "))
        });
        format!("a circle of {}:\n{}", circle.len(), edges.collect::<String>())
    });
    let told: String = told.collect();
    assert!(told.is_empty(), "move what two files share to where it belongs\n{told}");
}

/// What a file imports, but for those above and below it.
fn strangers<'a>(module: &Module, file: &'a File) -> BTreeSet<&'a Module> {
    let related = |other: &Module| other.starts_with(module) || module.starts_with(other);
    file.imports.iter().filter(|other| !related(other)).collect()
}

/// All modules to which a way leads from `start`.
fn reach<'a>(start: &Module, graph: &BTreeMap<&Module, BTreeSet<&'a Module>>) -> BTreeSet<&'a Module> {
    let mut reached = BTreeSet::new();
    let mut todo: Vec<&Module> = graph[start].iter().copied().collect();
    while let Some(module) = todo.pop() {
        if reached.insert(module) {
            todo.extend(graph.get(module).into_iter().flatten());
        }
    }
    reached
}

#[test]
fn files_and_functions_are_short() {
    let mut long = Vec::new();
    for File { path, lines, is_test, functions, .. } in FILES.values() {
        if *lines > LONGEST_FILE {
            long.push(format!("{} has {lines} lines, more than {LONGEST_FILE}", path.display()));
        }
        let too_long = |lines: usize| lines > LONGEST_FUNCTION && !is_test;
        for (function, lines) in functions.iter().filter(|(_, lines)| too_long(*lines)) {
            long.push(format!(
                "{}: fn {function} has {lines} lines, more than {LONGEST_FUNCTION}",
                path.display()
            ));
        }
    }

    assert!(long.is_empty(), "give an idea a file or a name of its own\n{}", long.join("\n"));
}

/// What a row of the table says of its modules.
struct Row {
    modules: Vec<String>,
    /// `None` for everything.
    sees: Option<BTreeSet<String>>,
}

#[test]
fn the_table_of_modules_says_what_each_of_them_imports() {
    let rows = table(include_str!("../src/lib.rs"));
    let imports = imports_of_modules();

    let mut untrue = Vec::new();
    for module in imports.keys() {
        let count = rows.iter().filter(|row| row.modules.contains(module)).count();
        if count != 1 {
            untrue.push(format!("`{module}` stands in {count} rows"));
        }
    }
    for Row { modules, sees } in rows {
        let Some(sees) = sees else { continue };
        let seen: BTreeMap<&String, &String> = modules
            .iter()
            .flat_map(|module| imports.get(module).into_iter().flatten().map(move |seen| (seen, module)))
            .filter(|(seen, _)| !modules.contains(seen))
            .collect();
        let unsaid = seen.iter().filter(|(seen, _)| !sees.contains(**seen));
        untrue.extend(unsaid.map(|(seen, module)| format!("`{module}` imports `{seen}`, against the table")));
        let unseen = sees.iter().filter(|module| !seen.contains_key(module));
        untrue.extend(
            unseen.map(|seen| format!("the table lets `{}` see `{seen}`: it does not", modules.join("`, `"))),
        );
    }
    assert!(untrue.is_empty(), "the table at the top of src/lib.rs\n{}", untrue.join("\n"));
}

/// The rows at the top of `lib.rs`: modules, what they are, and what they see.
fn table(text: &str) -> Vec<Row> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("//! | ")).skip(1);
    let rows = lines.map(|line| {
        let cells: Vec<&str> = line.trim_end_matches(" |").split(" | ").collect();
        let [modules, _, sees] = cells[..] else { panic!("a row of three columns: {line}") };
        let sees = match sees {
            "everything" => None,
            "nothing" => Some(BTreeSet::new()),
            words => {
                let ports = words.contains("the ports").then_some(["queue", "result_log", "store"]);
                let ports = ports.into_iter().flatten().map(str::to_owned);
                Some(in_backticks(words).into_iter().chain(ports).collect())
            }
        };
        Row { modules: in_backticks(modules), sees }
    });
    rows.collect()
}

fn in_backticks(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Which modules right below the root the files of each of them import.
fn imports_of_modules() -> BTreeMap<String, BTreeSet<String>> {
    let mut imports: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (module, file) in product() {
        let Some(top) = module.first() else { continue };
        let others = file.imports.iter().filter_map(|import| import.first()).filter(|other| *other != top);
        imports.entry(top.clone()).or_default().extend(others.cloned());
    }
    imports
}
