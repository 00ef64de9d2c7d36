import RocketBase
import RocketCodec

/// Rewrites frames that are about to be sent: announces the encodings of this side, once, and compresses
/// messages. A value; no I/O.
struct FrameCompressor {
    private let codec: TinyPBCodec
    private let encodings: CompressionEncodings
    private let thresholdBytes: Int
    /// The encoding that the peer reads; nil: none is known.
    private var encoding: Int?
    private var isAnnounced = false

    init(codec: TinyPBCodec, encodings: CompressionEncodings, thresholdBytes: Int) {
        self.codec = codec
        self.encodings = encodings
        self.thresholdBytes = thresholdBytes
    }

    /// The peer has said that it reads this encoding.
    mutating func accept(_ encoding: Int) { self.encoding = encoding }

    /// Rewrites the frames from `start` on.
    mutating func rewrite(
        from start: Int, in output: inout ByteBuffer, _ tools: CompressionTools
    ) {
        let count = output.readableBytes - start
        if isAnnounced, encoding == nil || count < thresholdBytes { return }
        var isChanged = false
        output.withBytes { bytes in
            var rest = bytes.extracting(droppingFirst: start)
            while case .frame(let frame, let byteCount)? = try? codec.step(rest) {
                let whole = rest.extracting(first: byteCount)
                if append(frame, whole, tools) {
                    isChanged = true
                } else {
                    tools.frames.append(whole)
                }
                rest = rest.extracting(droppingFirst: byteCount)
            }
            tools.frames.append(rest)
        }
        if isChanged {
            output.truncate(to: start)
            tools.frames.withBytes { output.append($0) }
        }
        tools.clear()
    }

    /// Appends another form of a frame.
    ///
    /// - Returns: false if it is to be sent as it is; nothing has been appended then.
    private mutating func append(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ tools: CompressionTools
    ) -> Bool {
        guard frame.errorCode == 0, !isOfTheWire(bytes.extracting(frame.methodName)) else {
            return false
        }
        let info = bytes.extracting(frame.errorInfo)
        // Only a peer that is sent metadata anyway, or has sent some itself, is told.
        var line = isAnnounced ? [] : encodings.announcement
        let limit =
            encoding == nil
            ? MetadataBlock.defaultLimitBytes : MetadataBlock.announcedLimitBytes
        if encoding == nil, info.byteCount == 0 || info.byteCount + line.count > limit {
            return false
        }
        let isAnnouncing = !line.isEmpty
        var compresses = false
        if let encoding, frame.payload.count >= max(1, thresholdBytes) {
            compresses = info.byteCount + line.count + encodings.lines[encoding].count + 5 <= limit
            if compresses { line += encodings.lines[encoding] }
        }
        let start = tools.frames.readableBytes
        if compresses, compress(frame, info, line, bytes, tools) {
            isAnnounced = true
            return true
        }
        tools.frames.truncate(to: start)
        guard isAnnouncing else { return false }
        begin(frame, info, encodings.announcement, bytes, tools)
        tools.frames.append(bytes.extracting(frame.payload))
        guard (try? codec.finish(start, in: &tools.frames)) != nil else { return false }
        isAnnounced = true
        return true
    }

    /// - Returns: false if it gets no smaller.
    private func compress(
        _ frame: TinyPBFrame, _ info: RawSpan, _ line: [UInt8], _ bytes: RawSpan,
        _ tools: CompressionTools
    ) -> Bool {
        guard let encoding else { return false }
        let start = begin(frame, info, line, bytes, tools)
        let payload = bytes.extracting(frame.payload)
        do throws(CompressionError) {
            try tools.compressor.compress(payload, encoding: encoding, into: &tools.frames)
        } catch {
            return false
        }
        if (try? codec.finish(start, in: &tools.frames)) == nil { return false }
        return tools.frames.readableBytes - start < bytes.byteCount
    }

    @discardableResult
    private func begin(
        _ frame: TinyPBFrame, _ info: RawSpan, _ line: [UInt8], _ bytes: RawSpan,
        _ tools: CompressionTools
    ) -> Int {
        tools.info.removeAll()
        CompressionEncodings.append(info, adding: line, to: &tools.info)
        let (id, name) = (bytes.extracting(frame.messageID), bytes.extracting(frame.methodName))
        return tools.info.withBytes {
            codec.begin(messageID: id, methodName: name, errorInfo: $0, in: &tools.frames)
        }
    }

    /// Whether a frame is one of the wire's own, which have no metadata: of streams, cancel, goaway.
    private func isOfTheWire(_ name: RawSpan) -> Bool {
        StreamFrame(name) != nil || CancelFrame.isCancel(name) || GoAwayFrame.isGoAway(name)
    }
}

extension RawSpan {
    /// The byte at an offset, which must be within the span.
    func byte(_ offset: Int) -> UInt8 {
        // SAFETY: any bits are a UInt8; the load checks the range.
        unsafe unsafeLoad(fromByteOffset: offset, as: UInt8.self)
    }

    /// The big-endian integer at an offset; its bytes must be within the span.
    func integer(_ offset: Int) -> UInt32 {
        // SAFETY: any bits are a UInt32; the load checks the range.
        unsafe UInt32(bigEndian: unsafeLoadUnaligned(fromByteOffset: offset, as: UInt32.self))
    }
}
