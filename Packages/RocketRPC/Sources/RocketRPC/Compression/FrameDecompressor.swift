import RocketBase
import RocketCodec

/// Takes frames out of a peer's bytes, and decompresses those that are. A value; no I/O.
struct FrameDecompressor {
    private let codec: TinyPBCodec
    private let encodings: CompressionEncodings
    /// The best encoding that the peer has said it reads; nil: none so far.
    private(set) var accepted: Int?
    /// The same of the messages of streams.
    private(set) var acceptedInStreams: Int?
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
        /// A frame of a stream was taken that can't be decompressed; the one that was passed on in its
        /// place fails the call.
        case failed(RPCError)
    }

    /// Why a frame is not passed on as it should be.
    private enum Failure {
        case call(Refusal)
        case stream(RPCError)
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
        var failure: Failure?
        let count = bytes.withBytes { span -> Int? in
            do throws(FrameError) {
                guard case .frame(let frame, let byteCount) = try codec.step(span) else { return 0 }
                failure = append(frame, byteCount, span, to: &input, tools)
                return byteCount
            } catch {
                return nil
            }
        }
        guard let count else { return pass(&bytes, into: &input) }
        if count == 0 { return .needMore }
        bytes.consume(count)
        return switch failure {
        case nil: .taken
        case .call(let refusal)?: .refused(refusal)
        case .stream(let error)?: .failed(error)
        }
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
    ) -> Failure? {
        let info = bytes.extracting(frame.errorInfo)
        if frame.errorCode != 0 || !MetadataBlock.isBlock(info) {
            input.append(bytes.extracting(first: byteCount))
            return nil
        }
        if accepted == nil {
            accepted = encodings.accepted(by: info)
            if accepted != nil {
                acceptedInStreams = encodings.accepted(by: info, "accept-stream-encoding")
            }
        }
        let isData = DataFrame.isData(bytes.extracting(frame.methodName))
        let data = isData ? DataFrame.readInfo(info) : nil
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
                if let data {
                    try decompress(frame, data, bytes, encoding, to: &input, tools)
                } else {
                    try decompress(frame, info, bytes, encoding, to: &input, tools)
                }
                return nil
            } catch {
                input.truncate(to: start)
                failure = Self.failure(of: error, isData: isData)
            }
        }
        let id = bytes.extracting(frame.messageID)
        if let data {
            DataFrame.append(failure, length: data.length ?? 0, id, codec, to: &input)
            return .stream(failure)
        }
        return .call(
            Refusal(
                messageID: id.copied, methodName: bytes.extracting(frame.methodName).copied,
                error: failure))
    }

    private static func failure(of error: any Error, isData: Bool) -> RPCError {
        switch error {
        // The part of a stream has another length than it says, and no limit is exceeded.
        case CompressionError.tooLarge where isData: mismatch
        case CompressionError.tooLarge: RPCError(.resourceExhausted, "the message: \(error)")
        case is CompressionError: RPCError(.failedDeserialize, "the message: \(error)")
        case let error as RPCError: error
        default: RPCError(.resourceExhausted, "the message: \(error)")
        }
    }

    private static var mismatch: RPCError {
        RPCError(
            .failedDeserialize, "the message: its length is not the one that precedes it")
    }

    /// Appends the data frame as it is without compression. Never produces more bytes than it says.
    private func decompress(
        _ frame: TinyPBFrame, _ data: DataFrame.Info, _ bytes: RawSpan, _ encoding: Int,
        to input: inout ByteBuffer, _ tools: CompressionTools
    ) throws {
        guard let length = data.length else { throw Self.mismatch }
        let id = bytes.extracting(frame.messageID)
        let flag = data.hasMore ? StreamFrame.more : []
        // SAFETY: the array lives, unchanged, until begin returns.
        let start = unsafe codec.begin(
            messageID: id, methodName: bytes.extracting(frame.methodName),
            errorInfo: flag.span.bytes, in: &input)
        let payloadStart = input.readableBytes
        if length > codec.maxFrameBytes - (payloadStart - start) - 5 {
            throw RPCError(
                .resourceExhausted,
                "the message: a part has \(length) bytes; the limit is that of a frame, "
                    + "\(codec.maxFrameBytes)")
        }
        try tools.compressor.decompress(
            bytes.extracting(frame.payload), encoding: encoding, into: &input, atMost: length)
        if input.readableBytes - payloadStart != length { throw Self.mismatch }
        try codec.finish(start, in: &input)
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
