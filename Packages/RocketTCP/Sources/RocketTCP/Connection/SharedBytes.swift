public import RocketBase

/// Bytes that never change, to be sent to many peers without a copy for each. Any thread.
public final class SharedBytes: Sendable {
    /// The bytes.
    public let buffer: ByteBuffer

    /// Takes the buffer over.
    public init(_ buffer: consuming ByteBuffer) { self.buffer = buffer }

    /// Copies the bytes once.
    public init(_ bytes: [UInt8]) {
        var buffer = ByteBuffer()
        buffer.append(bytes)
        self.buffer = buffer
    }

    /// How many bytes there are.
    public var count: Int { buffer.readableBytes }
}
