/// Why descriptors or .proto files make no schema.
public struct DynamicSchemaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One thing that is wrong.
    public struct Issue: Hashable, Sendable, CustomStringConvertible {
        /// The name of the file as in an import; empty if it is unknown.
        public let file: String
        /// The line, counted from 1; 0 if the file as a whole is wrong, or for a descriptor.
        public let line: Int
        /// The column, counted from 1; 0 as above.
        public let column: Int
        /// What is wrong, in one line.
        public let message: String

        init(_ message: String, file: String = "", line: Int = 0, column: Int = 0) {
            self.file = file
            self.line = line
            self.column = column
            self.message = message
        }

        /// `order.proto:3:9: "Prise" is not defined.`
        public var description: String {
            if file.isEmpty { return message }
            return line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
        }
    }

    /// The most issues that are kept.
    static let maxIssues = 100

    /// What is wrong, in the order in which it was found; at least one, at most 100.
    public let issues: [Issue]

    init(_ issues: [Issue]) {
        self.issues = issues.isEmpty ? [Issue("the files are not valid")] : issues
    }

    /// All issues in one line.
    public var description: String { issues.map(\.description).joined(separator: "; ") }
}

/// What a schema holds at most. At a limit its creation fails with an error.
public struct DynamicSchemaLimits: Hashable, Sendable {
    /// The most files, imported ones included. Default 2000.
    public var files = 2000
    /// The most bytes of all files, as .proto files or as descriptors. Default 32 MiB.
    public var fileBytes = 32 << 20
    /// The longest message that is encoded or decoded, in bytes; its JSON may have eight times as
    /// many. At most 1 GiB; default 64 MiB.
    public var messageBytes = 64 << 20

    /// The defaults.
    public init() {}
}
