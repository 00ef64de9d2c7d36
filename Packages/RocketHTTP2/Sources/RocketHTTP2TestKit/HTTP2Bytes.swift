import RocketBase
public import RocketHTTP2

extension RawSpan {
    /// The byte at an offset.
    func byte(at offset: Int) -> UInt8 {
        precondition((0..<byteCount).contains(offset))
        // SAFETY: the offset is checked.
        return unsafe unsafeLoad(fromUncheckedByteOffset: offset, as: UInt8.self)
    }
}

extension HTTP2Session {
    /// Takes bytes of an array, in parts of at most `part` bytes.
    public func receive(_ bytes: [UInt8], part: Int = .max) throws(HTTP2Error) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var buffer = ByteBuffer()
            buffer.append(Array(rest.prefix(part)))
            rest = rest.dropFirst(part)
            while !buffer.isEmpty {
                let taken = try buffer.withBytes { (bytes) throws(HTTP2Error) in
                    try receive(bytes)
                }
                buffer.consume(taken)
            }
        }
    }

    /// Returns what the session sends now, and the error that `send` has thrown.
    public func output() -> (bytes: [UInt8], error: HTTP2Error?) {
        var buffer = ByteBuffer()
        do throws(HTTP2Error) {
            try send(into: &buffer)
            return (buffer.copyBytes(), nil)
        } catch {
            return (buffer.copyBytes(), error)
        }
    }

    /// Returns the frames that the session sends now, without a preface.
    public func frames() -> [RawFrame] {
        let bytes = output().bytes
        return RawFrame.read(
            bytes.starts(with: Self.preface) ? Array(bytes.dropFirst(Self.preface.count)) : bytes)
    }
}
