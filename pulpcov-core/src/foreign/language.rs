//! The language of a file, by its name.

/// Languages by the endings of their files.
const LANGUAGES: [(&str, &[&str]); 31] = [
    ("Assembly", &["asm", "s"]),
    ("C", &["c", "h", "l", "y"]),
    ("C#", &["cs"]),
    ("C++", &["cc", "cpp", "cxx", "c++", "hh", "hpp", "hxx", "inl", "ipp", "tcc", "tpp"]),
    ("CSS", &["css", "less", "scss"]),
    ("CUDA", &["cu", "cuh"]),
    ("Clojure", &["clj", "cljc", "cljs"]),
    ("Cython", &["pxd", "pxi", "pyx"]),
    ("Dart", &["dart"]),
    ("Elixir", &["ex", "exs"]),
    ("Erlang", &["erl", "hrl"]),
    ("F#", &["fs", "fsx"]),
    ("Fortran", &["f", "f03", "f08", "f77", "f90", "f95", "for"]),
    ("Go", &["go"]),
    ("HTML", &["htm", "html", "jinja", "jinja2"]),
    ("Haskell", &["hs"]),
    ("Java", &["java"]),
    ("JavaScript", &["cjs", "js", "jsx", "mjs"]),
    ("Kotlin", &["kt", "kts"]),
    ("Lua", &["lua"]),
    ("Objective-C", &["m", "mm"]),
    ("PHP", &["php"]),
    ("Perl", &["pl", "pm"]),
    ("Python (other tools)", &["py", "pyi", "pyw"]),
    ("Ruby", &["rb"]),
    ("Rust", &["rs"]),
    ("Scala", &["scala"]),
    ("Shell", &["bash", "sh", "zsh"]),
    ("Swift", &["swift"]),
    ("TypeScript", &["cts", "mts", "ts", "tsx"]),
    ("Vue and Svelte", &["svelte", "vue"]),
];

/// Returns the language of a file, by the ending of its name, or `Other files`. A header of C or C++ is C: what it is included in is
/// not known.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::language;
///
/// assert_eq!(language("src/lib.rs"), "Rust");
/// assert_eq!(language("src/_speed.h"), "C");
/// assert_eq!(language("Makefile"), "Other files");
/// ```
pub fn language(name: &str) -> &'static str {
    known(name).unwrap_or("Other files")
}

/// Returns whether the name of a file says its language.
///
/// # Examples
///
/// ```
/// use pulpcov_core::foreign::has_language;
///
/// assert!(has_language("src/lib.rs"));
/// assert!(!has_language("logo.png"));
/// ```
pub fn has_language(name: &str) -> bool {
    known(name).is_some()
}

fn known(name: &str) -> Option<&'static str> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let ending = file.rsplit_once('.')?.1.to_ascii_lowercase();
    let has_it = |(_, endings): &&(&str, &[&str])| endings.contains(&ending.as_str());
    LANGUAGES.iter().find(has_it).map(|(language, _)| *language)
}
