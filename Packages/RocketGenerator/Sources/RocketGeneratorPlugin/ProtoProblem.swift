import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Something in a .proto file that no service can be generated for.
package struct ProtoProblem: Hashable {
    /// The path as protoc was given it.
    let file: String
    /// Counted from 1; nil when protoc sent no positions.
    let line: Int?
    /// Counted from 1; nil when protoc sent no positions.
    let column: Int?
    let message: String

    init(file: String, line: Int? = nil, column: Int? = nil, message: String) {
        self.file = file
        self.line = line
        self.column = column
        self.message = message
    }

    /// A problem with what `descriptor` describes, at the place where that stands.
    init(_ message: String, at descriptor: some ProvidesSourceCodeLocation, in file: FileDescriptor)
    {
        // A span is [line, column, …], both counted from 0.
        let span = descriptor.sourceCodeInfoLocation?.span ?? []
        let isPlaced = span.count >= 2
        self.init(
            file: file.name,
            line: isPlaced ? Int(span[0]) + 1 : nil,
            column: isPlaced ? Int(span[1]) + 1 : nil,
            message: message)
    }
}

extension ProtoProblem: CustomStringConvertible {
    /// As protoc writes its own errors: `order.proto:12:3: message`.
    package var description: String {
        guard let line, let column else { return "\(file): \(message)" }
        return "\(file):\(line):\(column): \(message)"
    }
}

/// Why nothing was generated: all that is wrong, one problem a line, in the files' order.
package struct GenerationFailure: Error, CustomStringConvertible {
    package let problems: [ProtoProblem]

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
