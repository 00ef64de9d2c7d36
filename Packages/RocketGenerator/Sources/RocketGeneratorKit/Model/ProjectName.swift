import RocketGeneratorPlugin

/// Names of a project: its folder and program (`order_server`), and the module with its code
/// (`OrderServer`).
struct ProjectName: Hashable, Sendable {
    /// Name of the folder, the program and the systemd units.
    let program: String
    /// Name of the Swift module.
    let module: String

    /// Checks a name from the command line.
    ///
    /// - Throws: `GeneratorFailure` if the name is not valid for a program and a module.
    init(_ name: String) throws(GeneratorFailure) {
        let isPlain = name.allSatisfy {
            $0.isASCII && ($0.isLowercase || $0.isNumber || "_-".contains($0))
        }
        guard isPlain, name.first?.isLetter == true, name.count <= 64,
            name.last?.isLetter == true || name.last?.isNumber == true
        else {
            throw GeneratorFailure(
                "'\(name)' is not a valid project name: use at most 64 lower-case letters, digits, "
                    + "'_' and '-', beginning with a letter; choose another name with --name")
        }
        let module = SwiftName.upperCamel(name.replacing("-", with: "_"))
        guard !Self.isTaken(name), !Self.isTaken(module) else {
            throw GeneratorFailure(
                "'\(name)' is not a valid project name: Swift or a library uses that name; "
                    + "choose another name with --name")
        }
        self.program = name
        self.module = module
    }

    /// Derives the name from a .proto file: `order_book` from `OrderBook.proto`.
    init(proto path: String) throws(GeneratorFailure) {
        let file = path.split(separator: "/").last.map(String.init) ?? path
        let stem = file.hasSuffix(".proto") ? String(file.dropLast(6)) : file
        try self.init(SnakeCase.of(stem))
    }

    private static func isTaken(_ name: String) -> Bool {
        taken.contains(name.lowercased()) || SwiftName.keywords.contains(name)
    }

    /// Modules that are linked into projects, and names that the compiler reserves; in lower case.
    private static let taken: Set<String> = [
        "swift", "main", "foundation", "dispatch", "glibc", "testing", "xctest", "synchronization",
        "observation", "logging", "metrics", "tracing", "instrumentation", "servicecontextmodule",
        "swiftprotobuf", "argumentparser", "servicelifecycle", "unixsignals", "concurrencyhelpers",
        "asyncalgorithms", "dequemodule", "orderedcollections", "rocketbase", "rocketsystem",
        "rocketreactor", "rockettcp", "rocketcodec", "rocketrpc", "rocketprogram", "rocketjournal",
        "rocketsystemd", "rocketlogging",
    ]
}

/// Converts names to lower case with underscores, for programs and files.
enum SnakeCase {
    /// Returns `make_order` for `makeOrder` and `make_order`, and `http_get` for `HTTPGet`.
    static func of(_ name: String) -> String {
        var words: [String] = []
        let characters = Array(name)
        var word = ""
        for (index, character) in characters.enumerated() {
            let isBreak = !character.isLetter && !character.isNumber
            let next = index + 1 < characters.count ? characters[index + 1] : nil
            let before = index > 0 ? characters[index - 1] : nil
            let begins =
                character.isUppercase
                && (before?.isUppercase != true || next?.isLowercase == true)
            if isBreak || begins {
                if !word.isEmpty { words.append(word) }
                word = ""
            }
            if !isBreak { word += character.lowercased() }
        }
        if !word.isEmpty { words.append(word) }
        return words.joined(separator: "_")
    }
}
