import RocketGeneratorPlugin
import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// proto2's required fields of a message, which even an empty one needs to be sent.
struct RequiredFields: Equatable {
    /// As Swift reaches them, each after the one that it lies in: `box`, `box.size`.
    var paths: [String] = []
    /// Whether one of them is bytes, whose type is Foundation's.
    var hasBytes = false

    init() {}

    init(of message: Descriptor, in file: FileDescriptor) {
        let namer = SwiftProtobufNamer(
            currentFile: file, protoFileToModuleMappings: ProtoFileToModuleMappings())
        add(message, under: "", namer, seen: [])
    }

    /// A message that contains itself for good can't be made at all; it ends here once.
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

    /// A message with nothing in it but these.
    func empty(_ type: String) -> Lines {
        guard !paths.isEmpty else { return ["\(type)()"] }
        return ["\(type).with {"] + paths.map { path in "$0.\(path) = .init()" }.indented + ["}"]
    }
}
