//! Our own source: its files as modules, which of them each one imports, and how long files and functions are.
//!
//! Of what stands under `#[cfg(test)]` only whole files are here, and they are marked: tests may look wherever they like.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{
    Attribute, Block, ImplItemFn, Item, ItemFn, ItemMod, ItemUse, Macro, Signature, TraitItemFn, UseTree,
};

/// The path of a module, without `crate`: `["store", "sqlite"]`. The root is empty.
pub(crate) type Module = Vec<String>;

/// A file of `src/`.
pub(crate) struct File {
    /// From `src/`.
    pub(crate) path: PathBuf,
    pub(crate) lines: usize,
    /// Only tests have it.
    pub(crate) is_test: bool,
    /// Names and lines of its functions.
    pub(crate) functions: Vec<(String, usize)>,
    /// The files whose items it names. An item that a module only hands on counts for the file in which it stands.
    pub(crate) imports: BTreeSet<Module>,
}

/// All files, by their module.
pub(crate) fn read() -> BTreeMap<Module, File> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut parsed = BTreeMap::new();
    parse_folder(&root, &root, &mut parsed);
    let tests: BTreeSet<Module> = parsed.values().flat_map(|file| file.found.tests.iter().cloned()).collect();
    let imports: Vec<BTreeSet<Module>> =
        parsed.iter().map(|(module, file)| imports(module, file, &parsed)).collect();
    let files = parsed.into_iter().zip(imports).map(|((module, file), imports)| {
        let Parsed { path, lines, found } = file;
        let is_test = (1..=module.len()).any(|length| tests.contains(&module[..length]));
        (module, File { path, lines, is_test, functions: found.functions, imports })
    });
    files.collect()
}

/// `store::sqlite`, as people write it.
pub(crate) fn name(module: &[String]) -> String {
    if module.is_empty() { "crate".to_owned() } else { module.join("::") }
}

struct Parsed {
    path: PathBuf,
    lines: usize,
    found: Found,
}

/// What stands in one file.
#[derive(Default)]
struct Found {
    /// The module in which the visit is: that of the file, or one inside of it.
    here: Module,
    /// What the file's own module calls by a name of its own: the last part of a `use`, or its `as`.
    bound: BTreeMap<String, Vec<String>>,
    /// Everything that is named by a path, as it would begin at the root.
    paths: BTreeSet<Vec<String>>,
    /// Modules that only tests have.
    tests: BTreeSet<Module>,
    functions: Vec<(String, usize)>,
    /// How many modules and blocks inside of the file the visit is in.
    depth: usize,
}

fn parse_folder(folder: &Path, root: &Path, parsed: &mut BTreeMap<Module, Parsed>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            parse_folder(&path, root, parsed);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let relative = path.strip_prefix(root).unwrap().to_owned();
            let text = fs::read_to_string(&path).unwrap();
            let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            let module = module_of(&relative);
            let mut found = Found { here: module.clone(), ..Found::default() };
            found.visit_file(&file);
            // `main.rs` is a program of its own, with nothing but a call.
            if relative != Path::new("main.rs") {
                parsed.insert(module, Parsed { path: relative, lines: text.lines().count(), found });
            }
        }
    }
}

fn module_of(relative: &Path) -> Module {
    let bare = relative.with_extension("");
    let mut module: Module = bare.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if matches!(module.last().map(String::as_str), Some("mod" | "lib")) {
        module.pop();
    }
    module
}

fn imports(module: &Module, file: &Parsed, all: &BTreeMap<Module, Parsed>) -> BTreeSet<Module> {
    let named = file.found.paths.iter().filter_map(|path| resolve(path.clone(), all));
    named.filter(|import| import != module).collect()
}

/// The file in which the item stands that `path` names; `None` for what is not ours.
fn resolve(mut path: Vec<String>, all: &BTreeMap<Module, Parsed>) -> Option<Module> {
    // A name may be handed on several times.
    for _ in 0..8 {
        let length = (0..=path.len()).rev().find(|&length| all.contains_key(&path[..length]))?;
        let (module, rest) = path.split_at(length);
        let handed_on = rest.first().and_then(|name| all[module].found.bound.get(name));
        match handed_on {
            Some(target) => path = [target, &rest[1..]].concat(),
            None => return (length > 0).then(|| module.to_vec()),
        }
    }
    None
}

fn is_for_tests(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl Found {
    /// Notes a path that is written here, if it begins in our crate.
    fn note(&mut self, segments: &[String]) -> Option<Vec<String>> {
        let mut rest = segments;
        let mut path = self.here.clone();
        match rest.first()?.as_str() {
            "crate" => path.clear(),
            "self" | "super" => rest = rest.strip_prefix(&["self".to_owned()]).unwrap_or(rest),
            // A module below this one, or another crate: nothing of ours has such a path then.
            _ => {
                path.extend_from_slice(rest);
                self.paths.insert(path.clone());
                return Some(path);
            }
        }
        rest = rest.strip_prefix(&["crate".to_owned()]).unwrap_or(rest);
        while let Some(behind) = rest.strip_prefix(&["super".to_owned()]) {
            path.pop();
            rest = behind;
        }
        path.extend_from_slice(rest);
        self.paths.insert(path.clone());
        Some(path)
    }

    fn note_use(&mut self, before: &[String], tree: &UseTree) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.note_use(&with(&path.ident), &path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.note_use(before, tree)),
            UseTree::Glob(_) => drop(self.note(before)),
            UseTree::Name(name) if name.ident == "self" => self.bind(before, before.last().cloned()),
            UseTree::Name(name) => self.bind(&with(&name.ident), Some(name.ident.to_string())),
            UseTree::Rename(rename) => self.bind(&with(&rename.ident), Some(rename.rename.to_string())),
        }
    }

    fn bind(&mut self, segments: &[String], name: Option<String>) {
        if let (Some(path), Some(name), 0) = (self.note(segments), name, self.depth) {
            self.bound.insert(name, path);
        }
    }

    fn measure(&mut self, signature: &Signature, block: &Block) {
        let (first, last) = (signature.fn_token.span.start(), block.brace_token.span.close().end());
        let lines = last.line + 1 - first.line;
        self.functions.push((signature.ident.to_string(), lines));
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_for_tests(attributes(item)) {
            visit::visit_item(self, item);
        } else if let Item::Mod(module) = item {
            self.tests.insert([&self.here[..], &[module.ident.to_string()]].concat());
        }
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        self.here.push(module.ident.to_string());
        self.depth += 1;
        visit::visit_item_mod(self, module);
        self.depth -= 1;
        self.here.pop();
    }

    fn visit_block(&mut self, block: &'ast Block) {
        self.depth += 1;
        visit::visit_block(self, block);
        self.depth -= 1;
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.note_use(&[], &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() && path.segments.len() > 1 {
            let segments: Vec<String> =
                path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.note(&segments);
        }
        visit::visit_path(self, path);
    }

    /// What a macro is given is no syntax yet: paths in it are seen where they begin with `crate` or `super`.
    fn visit_macro(&mut self, invoked: &'ast Macro) {
        let text = invoked.tokens.to_string().replace("::", " :: ");
        let words: Vec<&str> = text.split_whitespace().collect();
        for (at, word) in words.iter().enumerate() {
            if matches!(*word, "crate" | "super") && at.checked_sub(1).is_none_or(|at| words[at] != "::") {
                let behind = words[at + 1..].chunks_exact(2).take_while(|pair| pair[0] == "::");
                let names = behind.map(|pair| pair[1].to_owned());
                let segments: Vec<String> = std::iter::once((*word).to_owned()).chain(names).collect();
                self.note(&segments);
            }
        }
        visit::visit_macro(self, invoked);
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.measure(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_for_tests(&function.attrs) {
            self.measure(&function.sig, &function.block);
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        if let Some(block) = &function.default {
            self.measure(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}
