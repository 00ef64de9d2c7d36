import SwiftProtobuf

/// The fields of all types of messages of a server, by their numbers. A value.
struct MessageLayouts: Sendable {
    struct Field: Hashable, Sendable {
        let name: String
        let kind: Kind
    }

    enum Kind: Hashable, Sendable {
        /// A string, or bytes.
        case text
        /// The full name of its type.
        case message(String)
        /// A number, a truth value, an enumeration; alone or packed.
        case number
        /// A group of proto2.
        case group
    }

    typealias Layout = [Int: Field]

    /// By the full name of the type: `shop.v1.Order`.
    private(set) var types: [String: Layout] = [:]

    init(_ files: [Google_Protobuf_FileDescriptorProto]) {
        for file in files {
            for message in file.messageType { add(message, prefix: file.package) }
        }
    }

    private mutating func add(_ message: Google_Protobuf_DescriptorProto, prefix: String) {
        let name = prefix.isEmpty ? message.name : "\(prefix).\(message.name)"
        types[name] = Layout(
            message.field.map { (Int($0.number), Field(name: $0.name, kind: Self.kind(of: $0))) },
            uniquingKeysWith: { first, _ in first })
        for nested in message.nestedType { add(nested, prefix: name) }
    }

    private static func kind(of field: Google_Protobuf_FieldDescriptorProto) -> Kind {
        switch field.type {
        case .string, .bytes: .text
        // Names of types begin with a dot.
        case .message: .message(String(field.typeName.drop { $0 == "." }))
        case .group: .group
        default: .number
        }
    }

    /// Whether a path means any field of messages of the server.
    ///
    /// - Parameter roots: the types that calls have.
    func contains(_ names: [String], isAnchored: Bool, roots: Set<String>) -> Bool {
        var current = isAnchored ? roots : Set(types.keys)
        for (index, name) in names.enumerated() {
            let found = current.flatMap { type in
                (types[type] ?? [:]).values.filter { name == "*" || $0.name == name }
            }
            if found.isEmpty { return false }
            if index == names.count - 1 { return true }
            current = Set(
                found.compactMap { field in
                    if case .message(let type) = field.kind { type } else { nil }
                })
        }
        return false
    }
}
