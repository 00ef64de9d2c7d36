import RocketCodec
@_spi(Fuzzing) import RocketNATS

/// The entry point of libFuzzer: reads any bytes as a stream of a NATS server. It detects crashes, hangs
/// (-timeout) and unbounded memory use (-rss_limit_mb), and operations that break their contract.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer passes `count` readable bytes.
    let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
    let codec = NATSCodec(maxMessageBytes: 1 << 20)
    var rest = bytes[...]
    do {
        while case .frame(let frame, let byteCount) = try step(codec, rest) {
            precondition(
                (1...rest.count).contains(byteCount), "an operation is where its bytes are")
            let own = rest.prefix(byteCount)
            check(frame, own, maxMessageBytes: codec.maxMessageBytes)
            guard case .frame(frame, byteCount)? = try? step(codec, own) else {
                preconditionFailure("bytes behind an operation change it")
            }
            guard case .needMore(let atLeast)? = try? step(codec, own.dropLast()),
                atLeast <= byteCount
            else { preconditionFailure("a part of an operation is one, or needs too much") }
            rest = rest.dropFirst(byteCount)
        }
    } catch {
        precondition(!error.description.isEmpty, "an error has a description")
    }
    return 0
}

private func step(
    _ codec: NATSCodec, _ bytes: ArraySlice<UInt8>
) throws(NATSProtocolError) -> FrameStep<NATSFrame> {
    // SAFETY: the span is of the array, which outlives the call.
    let step = try unsafe codec.step(bytes.span.bytes)
    if case .needMore(let atLeast) = step {
        precondition(atLeast > bytes.count, "needs no more than there is")
    }
    return step
}

private func check(_ frame: NATSFrame, _ bytes: ArraySlice<UInt8>, maxMessageBytes: Int) {
    func isInside(_ range: Range<Int>, from start: Int = 0) -> Bool {
        range.lowerBound >= start && range.upperBound <= bytes.count - 2
    }
    switch frame {
    case .ping, .pong, .ok: return
    case .error(let text): precondition(isInside(text), "the text of an error is inside")
    case .info(let json):
        precondition(isInside(json), "the JSON of INFO is inside")
        let start = bytes.startIndex
        let text = Array(bytes[(start + json.lowerBound)..<(start + json.upperBound)])
        do {
            let info = try NATSServerInfo(json: text)
            precondition(info.maxPayloadBytes > 0, "a payload has a limit above 0")
            precondition(info.clusterServers.count <= 64, "servers of a cluster have a limit")
        } catch {
            precondition(!error.description.isEmpty, "an error has a description")
        }
    case .message(let message):
        precondition(isInside(message.subject) && isInside(message.reply), "names are inside")
        precondition(!message.subject.isEmpty, "a message has a subject")
        precondition(
            isInside(message.headers, from: message.subject.upperBound)
                && isInside(message.payload, from: message.subject.upperBound),
            "headers and payload are behind the line")
        precondition(
            message.payload.upperBound == bytes.count - 2, "the payload ends before the line end")
        precondition(
            message.headers.count + message.payload.count <= maxMessageBytes, "a limit holds")
    }
}
