import RocketGeneratorPlugin
import RocketProgram
import SwiftProtobufPluginLibrary

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
                    + "'_' and '-', beginning with a letter; choose another name with --name",
                status: .usage)
        }
        let module = SwiftName.upperCamel(name.replacing("-", with: "_"))
        guard !Self.isTaken(name), !Self.isTaken(module), !Self.isTaken("\(module)Tests") else {
            throw GeneratorFailure(
                "'\(name)' is not a valid project name: Swift or a library uses that name; "
                    + "choose another name with --name", status: .usage)
        }
        self.program = name
        self.module = module
    }

    /// Derives the name from the .proto files of a new project: `order_book` from `OrderBook.proto`,
    /// `shop` from several files of the package `shop.v1`, and also from its `service.proto`, since
    /// any package may have a file of such a name.
    ///
    /// - Throws: `GeneratorFailure` if neither file, package nor service has a valid name.
    init(protos files: [FileDescriptor]) throws(GeneratorFailure) {
        let stems = files.prefix(1).map { file in
            let last = file.name.split(separator: "/").last ?? ""
            return SnakeCase.of(String(last.hasSuffix(".proto") ? last.dropLast(6) : last))
        }
        let isNamed = files.count == 1 && !stems.contains { Self.isGeneric($0) }
        let services = files.flatMap(\.services).prefix(1).map { SnakeCase.of($0.name) }
        let others =
            Self.packageNames(files) + (files.count == 1 ? services + stems : stems + services)
        let candidates = (isNamed ? stems : []) + others
        for name in candidates {
            if let found = try? ProjectName(name) {
                self = found
                return
            }
        }
        try self.init(candidates.first ?? "")
    }

    /// Returns the last part of the package, or of what the files' packages have in common, that is
    /// no version or the like.
    private static func packageNames(_ files: [FileDescriptor]) -> [String] {
        let packages = files.map { $0.package.split(separator: ".") }
        let common = packages.dropFirst().reduce(packages.first ?? []) { common, package in
            zip(common, package).prefix { $0 == $1 }.map(\.0)
        }
        return common.map { SnakeCase.of(String($0)) }.last { !isGeneric($0) }.map { [$0] } ?? []
    }

    /// Whether files of many packages have this name.
    private static func isGeneric(_ stem: String) -> Bool {
        generic.contains(stem) || stem.wholeMatch(of: /v\d+(_?(alpha|beta)_?\d*)?/) != nil
    }

    private static let generic: Set<String> = [
        "api", "main", "message", "messages", "proto", "rpc", "server", "service", "services",
        "types",
    ]

    private static func isTaken(_ name: String) -> Bool {
        taken.contains(name.lowercased().replacing("-", with: "_"))
            || SwiftName.keywords.contains(name)
    }

    /// Modules and programs of the packages that projects depend on, and names that the compiler
    /// reserves; in lower case, with underscores for hyphens. SwiftPM rejects a second target of the
    /// same name.
    private static let taken: Set<String> = [
        "swift", "main", "foundation", "foundationessentials", "dispatch", "glibc", "testing",
        "xctest", "synchronization", "observation", "regexbuilder", "distributed", "cxx",
        "logging", "inmemorylogging", "metrics", "coremetrics", "metricstestkit", "tracing",
        "inmemorytracing", "instrumentation", "servicecontextmodule", "servicelifecycle",
        "servicelifecycletestkit", "unixsignals", "concurrencyhelpers", "asyncalgorithms",
        "asyncstreaming", "basiccontainers", "bitcollections", "collections", "containerspreview",
        "dequemodule", "hashtreecollections", "heapmodule", "internalcollectionsutilities",
        "orderedcollections", "sortedcollections", "trailingelementsmodule",
        "swiftprotobuf", "swiftprotobufpluginlibrary", "swiftprotobufplugin", "fieldmaskutilities",
        "binarydelimitedstreams", "conformance", "protoc", "protoc_gen_swift", "argumentparser",
        "argumentparsertoolinfo", "generatemanual", "generate_manual", "rocket", "rocketbase",
        "rocketsystem", "rocketruntime", "rocketreactor", "rockettcp", "rocketcodec", "rocketrpc",
        "rocketrpcmetrics", "rocketrpctracing", "rocketprogram", "rocketjournal", "rocketsystemd",
        "rockettls", "rockethttp2", "rocketgrpc", "crockettls", "copenssl", "crockethttp2",
        "cnghttp2", "rocketdns", "crocketdns", "ccares", "rocketnames", "rocketetcd",
        "rocketlogging", "rocketgenerate", "rocketgenerator", "rocketgeneratorkit",
        "rocketgeneratorplugin", "rocket_generator", "protoc_gen_rocket", "generate_rocket",
        "crocketsystem", "crocketlog", "crocketruntime", "ctinyxml", "csystemd",
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
