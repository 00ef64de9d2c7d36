import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// A part of a .proto file for which no service code can be generated.
package struct ProtoProblem: Hashable {
    /// Path as it was given to protoc.
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

    /// Creates a problem at the position of `descriptor` in its file.
    init(_ message: String, at descriptor: some ProvidesSourceCodeLocation, in file: FileDescriptor)
    {
        // A span is [line, column, …], both counted from 0.
        let span = descriptor.sourceCodeInfoLocation?.span ?? []
        let hasPosition = span.count >= 2
        self.init(
            file: file.name,
            line: hasPosition ? Int(span[0]) + 1 : nil,
            column: hasPosition ? Int(span[1]) + 1 : nil,
            message: message)
    }
}

extension ProtoProblem: CustomStringConvertible {
    /// The problem in protoc's error format: `order.proto:12:3: message`.
    package var description: String {
        guard let line, let column else { return "\(file): \(message)" }
        return "\(file):\(line):\(column): \(message)"
    }
}

/// Thrown when nothing is generated; holds all problems of all files, in the order of the files.
package struct GenerationFailure: Error, CustomStringConvertible {
    package let problems: [ProtoProblem]

    /// One problem per line.
    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
