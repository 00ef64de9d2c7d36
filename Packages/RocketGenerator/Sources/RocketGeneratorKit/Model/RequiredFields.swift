import RocketGeneratorPlugin
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Required fields of a proto2 message: without them it cannot be encoded.
struct RequiredFields: Equatable {
    /// Swift paths of the fields, each after the field that contains it: `box`, `box.size`.
    var paths: [String] = []
    /// Whether one of them has the type `bytes`, which is `Data` of Foundation in Swift.
    var hasBytes = false

    init() {}

    init(of message: Descriptor, in file: FileDescriptor) {
        let namer = SwiftProtobufNamer(
            currentFile: file, protoFileToModuleMappings: ProtoFileToModuleMappings())
        add(message, under: "", namer, seen: [])
    }

    /// Adds the fields of `message`. Stops at a message that requires itself: it cannot be created.
    private mutating func add(
        _ message: Descriptor, under prefix: String, _ namer: SwiftProtobufNamer, seen: Set<String>
    ) {
        for field in message.fields where field.isRequired {
            let name = namer.messagePropertyNames(
                field: field, prefixed: "", includeHasAndClear: false
            ).name
            paths.append(prefix + name)
            hasBytes = hasBytes || field.type == .bytes
            if let inner = field.messageType, !seen.contains(inner.fullName) {
                add(
                    inner, under: "\(prefix)\(name).", namer,
                    seen: seen.union([message.fullName]))
            }
        }
    }

    /// Returns an expression that creates a message with only these fields set.
    ///
    /// - Parameter type: the message's name; without it, the type is that which the context expects.
    func minimalMessage(_ type: String = "") -> Lines {
        guard !paths.isEmpty else { return [type.isEmpty ? ".init()" : "\(type)()"] }
        return ["\(type).with {"] + paths.map { path in "$0.\(path) = .init()" }.indented + ["}"]
    }
}
