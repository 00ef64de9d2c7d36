import RocketGeneratorPlugin

/// What a project is called: its folder and program (`order_server`), and the module that holds its
/// code (`OrderServer`).
struct ProjectName: Hashable, Sendable {
    /// The folder, the program and the units.
    let program: String
    /// The Swift module.
    let module: String

    /// A name that was asked for.
    ///
    /// - Throws: `GeneratorFailure` for one that no program or no module can have.
    init(_ name: String) throws(GeneratorFailure) {
        let isPlain = name.allSatisfy {
            $0.isASCII && ($0.isLowercase || $0.isNumber || "_-".contains($0))
        }
        guard isPlain, name.first?.isLetter == true, name.count <= 64,
            name.last?.isLetter == true || name.last?.isNumber == true
        else {
            throw GeneratorFailure(
                "'\(name)' is no name for a project: use lower-case letters, digits, '_' and '-', "
                    + "a letter first, at most 64; say another one with --name")
        }
        let module = SwiftName.upperCamel(name.replacing("-", with: "_"))
        guard !Self.isTaken(name), !Self.isTaken(module) else {
            throw GeneratorFailure(
                "a project can't be called '\(name)': Swift or a library of it uses that name; "
                    + "say another one with --name")
        }
        self.program = name
        self.module = module
    }

    /// The name that a .proto file's own gives: `OrderBook.proto` makes `order_book`.
    init(proto path: String) throws(GeneratorFailure) {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.hasSuffix(".proto") ? String(file.dropLast(6)) : file
        try self.init(SnakeCase.of(stem))
    }

    private static func isTaken(_ name: String) -> Bool {
        taken.contains(name.lowercased()) || SwiftName.keywords.contains(name)
    }

    /// Modules that are linked in, and what the compiler keeps for itself; in lower case.
    private static let taken: Set<String> = [
        "swift", "main", "foundation", "dispatch", "glibc", "testing", "xctest", "synchronization",
        "observation", "logging", "metrics", "tracing", "instrumentation", "servicecontextmodule",
        "swiftprotobuf", "argumentparser", "servicelifecycle", "unixsignals", "concurrencyhelpers",
        "asyncalgorithms", "dequemodule", "orderedcollections", "rocketbase", "rocketsystem",
        "rocketreactor", "rockettcp", "rocketcodec", "rocketrpc", "rocketprogram", "rocketjournal",
        "rocketsystemd", "rocketlogging",
    ]
}
