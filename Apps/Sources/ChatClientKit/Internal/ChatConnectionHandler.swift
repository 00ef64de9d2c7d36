import RocketBase
import RocketCodec
import RocketTCP

/// Sends and receives texts on one connection to a chat server. Bound to its loop.
final class ChatConnectionHandler: TCPConnectionHandler {
    /// Accepts far more than the default limit of servers, 64 KiB.
    static let codec = LengthFieldCodec(maxPayloadBytes: 32 << 20)
    /// Room for one whole message and the rest of a read.
    static let inputLimitBytes = codec.maxPayloadBytes + (1 << 20)

    private let onText: ([UInt8]) -> Void
    private let onWritable: () -> Void

    /// - Parameters:
    ///   - onText: gets each text that arrives.
    ///   - onWritable: runs when the connection accepts output again.
    init(onText: @escaping ([UInt8]) -> Void, onWritable: @escaping () -> Void) {
        self.onText = onText
        self.onWritable = onWritable
    }

    /// Queues one text for sending.
    static func send(_ text: [UInt8], on connection: TCPConnection) {
        connection.write { output in
            output.append(bigEndian: UInt32(truncatingIfNeeded: text.count))
            output.append(text)
        }
    }

    func received(_ connection: TCPConnection, _ input: inout ByteBuffer) {
        var texts: [[UInt8]] = []
        var offset = 0
        var failure: FrameError?
        input.withBytes { bytes in
            do throws(FrameError) {
                while case .frame(let text, let size) =
                    try Self.codec.step(bytes.extracting(offset...))
                {
                    let range = (offset + text.lowerBound)..<(offset + text.upperBound)
                    texts.append(bytes.extracting(range).withUnsafeBytes { Array($0) })
                    offset += size
                }
            } catch { failure = error }
        }
        input.consume(offset)
        for text in texts { onText(text) }
        if let failure { connection.close(.now, reason: .rejected(failure.description)) }
    }

    func writabilityChanged(_ connection: TCPConnection, isWritable: Bool) {
        if isWritable { onWritable() }
    }
}
