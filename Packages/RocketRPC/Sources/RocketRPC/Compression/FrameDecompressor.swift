import RocketBase
import RocketCodec

/// Takes frames out of a peer's bytes, and decompresses those that are. A value; no I/O.
struct FrameDecompressor {
    private let codec: TinyPBCodec
    private let encodings: CompressionEncodings
    /// The best encoding that the peer has said it reads; nil: none so far.
    private(set) var accepted: Int?
    /// Bytes of a frame over the limit, which are passed on as they are.
    private var bytesToPass = 0

    init(codec: TinyPBCodec, encodings: CompressionEncodings) {
        self.codec = codec
        self.encodings = encodings
    }

    enum Step {
        /// A frame, or part of one over the limit, has been taken.
        case taken
        case needMore
        /// A frame was taken that can't be decompressed.
        case refused(Refusal)
    }

    /// A call whose message can't be decompressed.
    struct Refusal {
        let messageID: [UInt8]
        let methodName: [UInt8]
        let error: RPCError
    }

    /// Moves the next frame from `bytes` to `input`. What breaks the rules of frames is moved as it
    /// is: the receiver of `input` finds the same fault.
    mutating func next(
        _ bytes: inout ByteBuffer, into input: inout ByteBuffer, _ tools: CompressionTools
    ) -> Step {
        if bytesToPass > 0 {
            let count = min(bytesToPass, bytes.readableBytes)
            if count == 0 { return .needMore }
            bytesToPass -= count
            move(count, &bytes, into: &input)
            return .taken
        }
        var refusal: Refusal?
        let count = bytes.withBytes { span -> Int? in
            do throws(FrameError) {
                guard case .frame(let frame, let byteCount) = try codec.step(span) else { return 0 }
                refusal = append(frame, byteCount, span, to: &input, tools)
                return byteCount
            } catch {
                return nil
            }
        }
        guard let count else { return pass(&bytes, into: &input) }
        if count == 0 { return .needMore }
        bytes.consume(count)
        return refusal.map { .refused($0) } ?? .taken
    }

    /// Appends the reply that ends a refused call.
    func append(_ refusal: Refusal, to buffer: inout ByteBuffer) {
        let text = [UInt8](refusal.error.message.utf8)
        // SAFETY: the arrays live, unchanged, until begin returns.
        let start = unsafe codec.begin(
            messageID: refusal.messageID.span.bytes, methodName: refusal.methodName.span.bytes,
            errorCode: refusal.error.code.rawValue, errorInfo: text.span.bytes, in: &buffer)
        // The id and the name are those of a frame within the limit.
        try? codec.finish(start, in: &buffer)
    }

    /// Appends a frame as it is, or decompressed.
    private mutating func append(
        _ frame: TinyPBFrame, _ byteCount: Int, _ bytes: RawSpan, to input: inout ByteBuffer,
        _ tools: CompressionTools
    ) -> Refusal? {
        let info = bytes.extracting(frame.errorInfo)
        if frame.errorCode != 0 || info.byteCount == 0 {
            input.append(bytes.extracting(first: byteCount))
            return nil
        }
        if accepted == nil { accepted = encodings.accepted(by: info) }
        let failure: RPCError
        switch encodings.encoding(of: info) {
        case .identity:
            input.append(bytes.extracting(first: byteCount))
            return nil
        case .unknown(let name):
            let known = encodings.names.joined(separator: ", ")
            failure = RPCError(
                .unimplemented,
                "the encoding '\(name.prefix(40))' is not supported; supported are \(known)")
        case .number(let encoding):
            let start = input.readableBytes
            do {
                try decompress(frame, info, bytes, encoding, to: &input, tools)
                return nil
            } catch let error as CompressionError {
                input.truncate(to: start)
                var isTooLarge = false
                if case .tooLarge = error { isTooLarge = true }
                failure = RPCError(
                    isTooLarge ? .resourceExhausted : .failedDeserialize, "the message: \(error)")
            } catch {
                input.truncate(to: start)
                failure = RPCError(.resourceExhausted, "the message: \(error)")
            }
        }
        return Refusal(
            messageID: bytes.extracting(frame.messageID).copied,
            methodName: bytes.extracting(frame.methodName).copied, error: failure)
    }

    private func decompress(
        _ frame: TinyPBFrame, _ info: RawSpan, _ bytes: RawSpan, _ encoding: Int,
        to input: inout ByteBuffer, _ tools: CompressionTools
    ) throws {
        tools.info.removeAll()
        CompressionEncodings.appendWithoutEncoding(info, to: &tools.info)
        let start = tools.info.withBytes { info in
            codec.begin(
                messageID: bytes.extracting(frame.messageID),
                methodName: bytes.extracting(frame.methodName), errorInfo: info, in: &input)
        }
        let room = codec.maxFrameBytes - (input.readableBytes - start) - 5
        try tools.compressor.decompress(
            bytes.extracting(frame.payload), encoding: encoding, into: &input,
            atMost: max(0, room))
        try codec.finish(start, in: &input)
    }

    /// Passes on a frame over the limit, or all bytes of a stream that is broken.
    private mutating func pass(_ bytes: inout ByteBuffer, into input: inout ByteBuffer) -> Step {
        bytesToPass = .max
        let head = bytes.withBytes { try? codec.oversized($0) }
        switch head {
        case .frame(let frame, _)?: if frame.isSkippable { bytesToPass = frame.byteCount }
        case .needMore?:
            bytesToPass = 0
            return .needMore
        case nil: break
        }
        return .taken
    }

    private func move(
        _ count: Int, _ bytes: inout ByteBuffer, into input: inout ByteBuffer
    ) {
        bytes.withBytes { input.append($0.extracting(first: count)) }
        bytes.consume(count)
    }
}
