import RocketBase
import RocketCodec
@_spi(Transport) import RocketRPC

/// Makes the responses of calls of Connect, whichever version of HTTP carries them. A value; bound to the
/// loop of its compressor.
struct ConnectResponder {
    let settings: WireSettings
    let encodings: MessageEncodings
    let compressor: (any MessageCompressor)?

    /// The response to a call that the RPC side has answered.
    ///
    /// - Parameters:
    ///   - frame: the answer, in `bytes`.
    ///   - encoding: what the response may be compressed by.
    func response(
        to call: ConnectCall, _ frame: TinyPBFrame, _ bytes: RawSpan, _ encoding: MessageEncoding
    ) -> ConnectResponse {
        let info = bytes.extracting(frame.errorInfo)
        let payload = bytes.extracting(frame.payload)
        if frame.errorCode != 0 {
            let failure = WireFailure(RPCErrorCode(rawValue: frame.errorCode), info.text)
            return response(to: failure, ErrorStatus.read(payload))
        }
        do throws(WireFailure) {
            var response = try success(of: call, payload, encoding)
            if MetadataHeaders.hasEntries(info), let found = MetadataBlock.readReply(info) {
                response.add(leading: found.metadata, trailing: found.trailing)
            }
            return response
        } catch { return response(to: error) }
    }

    /// The response to a call that has failed.
    ///
    /// - Parameter httpStatus: nil: that of the code.
    func response(
        to failure: WireFailure, _ status: ErrorStatus? = nil, httpStatus: Int? = nil
    ) -> ConnectResponse {
        var response = ConnectResponse(failure, status?.details ?? [], httpStatus: httpStatus)
        if httpStatus == 415 { response.add("accept-post", ContentType.sent) }
        if failure.code == .unimplemented, !encodings.names.isEmpty {
            response.add("accept-encoding", encodings.names.joined(separator: ","))
        }
        response.add(leading: [:], trailing: status?.trailingMetadata ?? [:])
        return response
    }

    private func success(
        of call: ConnectCall, _ payload: RawSpan, _ encoding: MessageEncoding
    ) throws(WireFailure) -> ConnectResponse {
        let body: [UInt8]
        switch call.codec {
        case .proto: body = payload.bytes
        case .json:
            guard let types = call.types else { throw WireFailure(.internal, "no types") }
            body = try JSONMessages.json(payload, of: types.response)
            if body.count > settings.codec.maxFrameBytes {
                throw WireFailure(
                    .resourceExhausted,
                    "the response has \(body.count) bytes as JSON; "
                        + "\(settings.codec.maxFrameBytes) are allowed")
            }
        }
        if case .number(let number) = encoding, let compressed = compress(body, number) {
            return ConnectResponse(call.codec, compressed, encoding: encodings.names[number])
        }
        return ConnectResponse(call.codec, body, encoding: nil)
    }

    /// - Returns: nil for a body that is too short, or gets no shorter.
    private func compress(_ body: [UInt8], _ encoding: Int) -> [UInt8]? {
        if body.count < StreamOutput.leastCompressedBytes { return nil }
        var compressed = ByteBuffer(limitBytes: body.count)
        // SAFETY: the array lives, unchanged, until compress returns.
        let plain = unsafe body.span.bytes
        guard let compressor,
            (try? compressor.compress(plain, encoding: encoding, into: &compressed)) != nil
        else { return nil }
        return compressed.copyBytes()
    }
}

extension RawSpan {
    /// The bytes as an array.
    fileprivate var bytes: [UInt8] {
        // SAFETY: the pointer does not escape from the closure.
        unsafe withUnsafeBytes { unsafe [UInt8]($0) }
    }
}
