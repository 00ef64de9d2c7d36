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
    /// The same of the messages of streams.
    private var streamEncoding: Int?
    private var isAnnounced = false

    init(codec: TinyPBCodec, encodings: CompressionEncodings, thresholdBytes: Int) {
        self.codec = codec
        self.encodings = encodings
        self.thresholdBytes = thresholdBytes
    }

    /// The peer has said that it reads this encoding, and that one in the messages of streams.
    mutating func accept(_ encoding: Int, inStreams streamEncoding: Int? = nil) {
        self.encoding = encoding
        self.streamEncoding = streamEncoding
    }

    /// How a frame is changed.
    private struct Change {
        /// Whether the encodings of this side are announced in it.
        var announces = false
        /// What it is compressed by, if that makes it smaller; nil: it is not.
        var encoding: Int?
        /// Whether it is a data frame of a stream.
        var isData = false
    }

    /// Rewrites the frames from `start` on.
    ///
    /// - Parameter compresses: false: nothing but the announcement is added.
    mutating func rewrite(
        from start: Int, in output: inout ByteBuffer, compresses: Bool = true,
        _ tools: CompressionTools
    ) {
        let count = output.readableBytes - start
        if isAnnounced, !compresses || encoding == nil || count < thresholdBytes { return }
        var isChanged = false
        output.withBytes { bytes in
            var offset = start
            // What is before that has been copied to `tools.frames`, or replaced there.
            var copied = start
            while case .frame(let frame, let count)? = try? codec.step(bytes.extracting(offset...))
            {
                let whole = bytes.extracting(offset..<offset + count)
                if let change = change(of: frame, whole, compresses: compresses) {
                    tools.frames.append(bytes.extracting(copied..<offset))
                    copied = offset
                    if append(frame, whole, change, tools) {
                        isChanged = true
                        copied += count
                    }
                }
                offset += count
            }
            if isChanged { tools.frames.append(bytes.extracting(copied...)) }
        }
        if isChanged {
            output.truncate(to: start)
            tools.frames.withBytes { output.append($0) }
        }
        tools.clear()
    }

    /// - Returns: nil if the frame is to be sent as it is.
    private func change(
        of frame: TinyPBFrame, _ bytes: RawSpan, compresses: Bool
    ) -> Change? {
        if frame.errorCode != 0 { return nil }
        let info = bytes.extracting(frame.errorInfo)
        let name = bytes.extracting(frame.methodName)
        let isLarge = compresses && frame.payload.count >= max(1, thresholdBytes)
        let kind = StreamFrame(name)
        if kind == .data {
            guard let streamEncoding, isLarge, frame.payload.count <= StreamFrame.maxDataBytes,
                info.byteCount == 0 || StreamFrame.matches(info, StreamFrame.more)
            else { return nil }
            return Change(encoding: streamEncoding, isData: true)
        }
        if CancelFrame.isCancel(name) || GoAwayFrame.isGoAway(name) { return nil }
        // Only a peer that is sent metadata anyway, or has sent some itself, is told.
        var change = Change(announces: !isAnnounced)
        if encoding == nil, info.byteCount == 0 || !fits(info, change) { return nil }
        if kind == nil, isLarge, let encoding {
            change.encoding = encoding
            if !fits(info, change) { change.encoding = nil }
        }
        return change.announces || change.encoding != nil ? change : nil
    }

    /// Whether the peer takes the block of a frame with the lines that are added.
    private func fits(_ info: RawSpan, _ change: Change) -> Bool {
        let limit =
            encoding == nil
            ? MetadataBlock.defaultLimitBytes : MetadataBlock.announcedLimitBytes
        var count = info.byteCount + 5
        if change.announces { count += encodings.announcement.count }
        if let encoding = change.encoding { count += encodings.lines[encoding].count }
        return count <= limit
    }

    /// Appends another form of a frame.
    ///
    /// - Returns: false if it is to be sent as it is; nothing has been appended then.
    private mutating func append(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ change: Change, _ tools: CompressionTools
    ) -> Bool {
        let start = tools.frames.readableBytes
        if change.encoding != nil {
            if write(frame, bytes, change, tools),
                tools.frames.readableBytes - start < bytes.byteCount
            {
                if change.announces { isAnnounced = true }
                return true
            }
            tools.frames.truncate(to: start)
        }
        if !change.announces { return false }
        if !write(frame, bytes, Change(announces: true), tools) {
            tools.frames.truncate(to: start)
            return false
        }
        isAnnounced = true
        return true
    }

    /// - Returns: false if it can't be written; part of it may have been appended then.
    private func write(
        _ frame: TinyPBFrame, _ bytes: RawSpan, _ change: Change, _ tools: CompressionTools
    ) -> Bool {
        let payload = bytes.extracting(frame.payload)
        let info = bytes.extracting(frame.errorInfo)
        tools.info.removeAll()
        tools.info.append(utf8: "rkm1\n")
        if change.announces { tools.info.append(encodings.announcement) }
        if let encoding = change.encoding { tools.info.append(encodings.lines[encoding]) }
        if change.isData {
            DataFrame.appendLines(
                length: payload.byteCount, hasMore: info.byteCount > 0, to: &tools.info)
        } else if info.byteCount > 5 {
            tools.info.append(info.extracting(droppingFirst: 5))
        }
        let (id, name) = (bytes.extracting(frame.messageID), bytes.extracting(frame.methodName))
        let start = tools.info.withBytes {
            codec.begin(messageID: id, methodName: name, errorInfo: $0, in: &tools.frames)
        }
        if let encoding = change.encoding {
            do throws(CompressionError) {
                try tools.compressor.compress(payload, encoding: encoding, into: &tools.frames)
            } catch {
                return false
            }
        } else {
            tools.frames.append(payload)
        }
        return (try? codec.finish(start, in: &tools.frames)) != nil
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
