import RocketBase

/// Translates `/package.Service/method`, the path of a request, to `package.Service.method`, the
/// method_name of a frame, and back.
enum MethodPath {
    /// The longest path, in bytes: the longest method_name that all peers take, and the slash.
    static let maxBytes = 512

    /// Appends the method_name.
    ///
    /// - Throws: UNIMPLEMENTED, as gRPC's servers do, for a path that is not two names after a slash
    ///   each, has a dot in the second, is too long, or is the name of a frame of TinyPB. Nothing is
    ///   appended then.
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
        // A dot would make it another path of a method: proxies have rules for one of them.
        let method = path.extracting((slash + 1)...)
        if method.lastIndex(of: UInt8(ascii: ".")) != nil { throw malformed(path) }
        let start = buffer.readableBytes
        buffer.append(path.extracting(1..<slash))
        buffer.append(byte: UInt8(ascii: "."))
        buffer.append(method)
        // Frames of this name are no requests, so nothing would answer them.
        let isFrame = buffer.withBytes { FrameName($0.extracting(start...)) != nil }
        if isFrame {
            buffer.truncate(to: start)
            throw WireFailure(.unimplemented, "the path '\(path.excerpt)' is reserved")
        }
    }

    private static func malformed(_ path: RawSpan) -> WireFailure {
        WireFailure(.unimplemented, "the path '\(path.excerpt)' is not /SERVICE/METHOD")
    }

    /// Returns the path of a method_name; nil for a name without a dot, which no service has.
    static func path(of name: RawSpan) -> String? {
        guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > 0, dot < name.byteCount - 1
        else { return nil }
        return "/" + name.extracting(..<dot).text + "/" + name.extracting((dot + 1)...).text
    }
}
