package import SwiftProtobuf
import SwiftProtobufPluginLibrary

/// Reads the descriptors that protoc sends to its plugins or writes to a file, and checks what
/// swift-protobuf's library expects of them.
package enum DescriptorReader {
    /// Reads the request that protoc sends to a plugin.
    ///
    /// - Throws: `GenerationFailure` if a .proto file is the cause, or else `PluginInputError`.
    static func request(
        _ bytes: [UInt8]
    ) throws -> Google_Protobuf_Compiler_CodeGeneratorRequest {
        let request: Google_Protobuf_Compiler_CodeGeneratorRequest
        do {
            request = try Google_Protobuf_Compiler_CodeGeneratorRequest(serializedBytes: bytes)
        } catch {
            // Field 15 holds the descriptors.
            try refuseInvalidText(in: WireFields.values(of: 15, in: bytes[...]))
            throw PluginInputError("standard input holds no request of protoc: \(error)")
        }
        guard !request.fileToGenerate.isEmpty else {
            throw PluginInputError(
                "standard input holds no request of protoc, which starts this program; see --help")
        }
        try refuseUnsupported(request.protoFile)
        return request
    }

    /// Reads a google.protobuf.FileDescriptorSet.
    ///
    /// - Throws: `GenerationFailure` if a .proto file is the cause, or else `BinaryDecodingError`.
    package static func set(_ bytes: [UInt8]) throws -> Google_Protobuf_FileDescriptorSet {
        let set: Google_Protobuf_FileDescriptorSet
        do { set = try Google_Protobuf_FileDescriptorSet(serializedBytes: bytes) } catch {
            try refuseInvalidText(in: WireFields.values(of: 1, in: bytes[...]))
            throw error
        }
        try refuseUnsupported(set.file)
        return set
    }

    /// Throws if one of the encoded descriptors has a text that is no UTF-8: protoc copies comments
    /// from the .proto file as they are.
    private static func refuseInvalidText(in files: [ArraySlice<UInt8>]) throws(GenerationFailure) {
        let problems = files.filter { !isValid($0) }.flatMap { file in
            let name = WireFields.values(of: 1, in: file).first.map {
                String(decoding: $0, as: UTF8.self)
            }
            let locations = WireFields.values(of: 9, in: file).flatMap {
                WireFields.values(of: 1, in: $0)
            }
            let lines = locations.filter(hasInvalidComment).map(line)
            return (lines.isEmpty ? [nil] : lines).map { line in
                ProtoProblem(
                    file: name ?? "", line: line, column: line.map { _ in 1 },
                    message: line == nil
                        ? "is not valid UTF-8"
                        : "the comment of this declaration is not valid UTF-8")
            }
        }
        if !problems.isEmpty { throw GenerationFailure(problems: problems) }
    }

    private static func isValid(_ file: ArraySlice<UInt8>) -> Bool {
        (try? Google_Protobuf_FileDescriptorProto(serializedBytes: Array(file))) != nil
    }

    /// Whether a SourceCodeInfo.Location has a leading, trailing or detached comment that is no UTF-8.
    private static func hasInvalidComment(_ location: ArraySlice<UInt8>) -> Bool {
        [3, 4, 6].contains { field in
            WireFields.values(of: field, in: location).contains {
                String(validating: $0, as: UTF8.self) == nil
            }
        }
    }

    /// Returns the line of a SourceCodeInfo.Location, counted from 1.
    private static func line(_ location: ArraySlice<UInt8>) -> Int? {
        var span = WireFields.values(of: 2, in: location).first ?? []
        return WireFields.varint(&span).flatMap { Int(exactly: $0) }.map { $0 + 1 }
    }

    /// Throws for descriptors at which swift-protobuf's library would end the process.
    private static func refuseUnsupported(
        _ files: [Google_Protobuf_FileDescriptorProto]
    ) throws(GenerationFailure) {
        let editions = DescriptorSet.bundledEditionsSupport
        let problems = files.compactMap { file -> ProtoProblem? in
            if file.hasEdition {
                guard !editions.contains(file.edition) else { return nil }
                return ProtoProblem(
                    file: file.name,
                    message:
                        "swift-protobuf does not support edition \(file.edition), only editions "
                        + "up to \(editions.upperBound)")
            }
            guard !["", "proto2", "proto3"].contains(file.syntax) else { return nil }
            return ProtoProblem(
                file: file.name, message: "the syntax '\(file.syntax)' is not supported")
        }
        if !problems.isEmpty { throw GenerationFailure(problems: problems) }
    }
}

/// The input of the plugin is not what protoc sends.
struct PluginInputError: Error, CustomStringConvertible {
    let description: String
    /// The exit status of the program.
    let status: Int32

    init(_ description: String, status: Int32 = 65) {
        self.description = description
        self.status = status
    }
}

/// Finds fields in encoded messages that can't be decoded as a whole.
enum WireFields {
    /// Returns the values of the length-delimited fields with this number, up to the first byte that
    /// is not part of a field.
    static func values(of number: UInt64, in message: ArraySlice<UInt8>) -> [ArraySlice<UInt8>] {
        var rest = message
        var found: [ArraySlice<UInt8>] = []
        while let tag = varint(&rest) {
            switch tag & 7 {
            case 0: guard varint(&rest) != nil else { return found }
            case 1: rest = rest.dropFirst(8)
            case 2:
                guard let length = varint(&rest), length <= rest.count else { return found }
                if tag >> 3 == number { found.append(rest.prefix(Int(length))) }
                rest = rest.dropFirst(Int(length))
            case 5: rest = rest.dropFirst(4)
            default: return found
            }
        }
        return found
    }

    /// Removes a varint from the front; nil if there is none.
    static func varint(_ bytes: inout ArraySlice<UInt8>) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 64, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
