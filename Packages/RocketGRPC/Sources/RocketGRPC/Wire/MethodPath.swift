import RocketBase

/// Translates `/package.Service/method`, the path of a request, to `package.Service.method`, the
/// method_name of a frame, and back.
enum MethodPath {
    /// The longest path, in bytes: the longest method_name that all peers take, and the slash.
    static let maxBytes = 512

    /// Appends the method_name.
    ///
    /// - Throws: UNIMPLEMENTED, as gRPC's servers do, for a path that is not two names after a slash
    ///   each, or is too long. Nothing is appended then.
    static func appendName(
        of path: RawSpan, to buffer: inout ByteBuffer
    ) throws(WireFailure) {
        guard path.byteCount <= maxBytes else {
            throw WireFailure(.unimplemented, "the path has \(path.byteCount) bytes")
        }
        guard path.byteCount > 1, path.byte(0) == UInt8(ascii: "/"),
            let slash = path.lastIndex(of: UInt8(ascii: "/")), slash > 1,
            slash < path.byteCount - 1
        else { throw malformed(path) }
        for index in 1..<slash where path.byte(index) == UInt8(ascii: "/") {
            throw malformed(path)
        }
        buffer.append(path.extracting(1..<slash))
        buffer.append(byte: UInt8(ascii: "."))
        buffer.append(path.extracting((slash + 1)...))
    }

    private static func malformed(_ path: RawSpan) -> WireFailure {
        WireFailure(.unimplemented, "the path '\(path.text)' is not /SERVICE/METHOD")
    }

    /// Returns the path of a method_name; nil for a name without a dot, which no service has.
    static func path(of name: RawSpan) -> String? {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0, dot < name.byteCount - 1
        else { return nil }
        return "/" + name.extracting(..<dot).text + "/" + name.extracting((dot + 1)...).text
    }
}
