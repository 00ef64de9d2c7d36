import RocketBase
import RocketCodec
import RocketReactor
@_spi(Transport) import RocketRPC
import RocketSystem
import RocketTCP

// Requests of HTTP/1.1 become frames for the RPC side.

extension HTTP1ServerConnection {
    /// Takes requests from the front of the input, up to one that is being answered.
    func takeRequests(_ input: inout ByteBuffer) {
        while closing == nil, let transport, transport.isWritable, !(exchange?.isReceived ?? false)
        {
            var isWaiting = false
            let byteCount = input.withBytes { bytes -> Int in
                do throws(HTTP1Fault) {
                    switch try parser.step(bytes) {
                    case .needMore: isWaiting = true
                    case .skip(let byteCount): return byteCount
                    case .head(let head, let byteCount):
                        begin(head, bytes)
                        return byteCount
                    case .body(let range):
                        receive(bytes.extracting(range))
                        return range.count
                    case .end(let byteCount):
                        end()
                        return byteCount
                    }
                } catch { fail(error) }
                return 0
            }
            input.consume(byteCount)
            if isWaiting { return }
        }
        if closing != nil { input.removeAll() }
    }

    // MARK: Beginning

    private func begin(_ request: HTTP1RequestHead, _ bytes: RawSpan) {
        requests += 1
        head.begin()
        let target = bytes.extracting(request.target)
        head.addRequestLine(
            method: bytes.extracting(request.method), path: target.extracting(target.pathStart...))
        for field in request.fields {
            fieldName.removeAll()
            fieldName.append(lowercased: bytes.extracting(field.name))
            fieldName.withBytes { name in
                if !name.equals("expect") { head.add(name, bytes.extracting(field.value)) }
            }
        }
        if hostRule != .any, let host = request.host,
            !hostRule.allows(bytes.extracting(host).text)
        {
            return begin(request, refusedBy: .wrongHost)
        }
        let refusal = head.end()
        guard case .unary(let codec)? = head.connect else {
            // gRPC's own refusals mean nothing here.
            if case .http(405)? = refusal { return begin(request, refusedBy: .status(405)) }
            if case .stream(let codec)? = head.connect {
                return begin(request, refusedBy: .streamRefused(codec))
            }
            return begin(request, refusedBy: .status(415))
        }
        switch refusal {
        case .http(let status)?: begin(request, refusedBy: .status(status))
        case .status(let failure)?: begin(request, codec, failure)
        case nil: begin(request, codec, nil)
        }
    }

    /// Begins a request that is answered without a call.
    private func begin(_ request: HTTP1RequestHead, refusedBy response: ConnectResponse) {
        let call = ConnectCall(.json, .identity, nil, maxBytes: settings.codec.maxFrameBytes)
        let exchange = addExchange(request, call)
        send(response, exchange)
    }

    /// - Parameter failure: what is wrong with the fields.
    private func begin(
        _ request: HTTP1RequestHead, _ codec: ConnectCodec, _ failure: WireFailure?
    ) {
        let kind = head.methodName.withBytes { settings.methodKind($0) }
        let types = head.methodName.withBytes { settings.messageTypes?($0) }
        head.writeBlock()
        var frame = ByteBuffer()
        var number = ByteBuffer()
        number.append(decimal: requests)
        _ = number.withBytes { id in
            head.methodName.withBytes { name in
                head.block.withBytes {
                    settings.codec.begin(
                        messageID: id, methodName: name, errorInfo: $0, in: &frame)
                }
            }
        }
        let room = max(0, settings.codec.maxFrameBytes - frame.readableBytes - 5)
        let exchange = addExchange(
            request, ConnectCall(codec, head.encoding, types, maxBytes: room))
        exchange.frame = frame
        if let failure { return refuse(exchange, failure, httpStatus: failure.headStatus) }
        if let kind, kind != .unary {
            return refuse(exchange, ConnectCall.streamsRefused, httpStatus: 415)
        }
        if case .length(let length) = request.body, length > room {
            let text = "the request has \(length) bytes; \(room) are allowed"
            let isFar = length > 2 * room
            if isFar { exchange.call.endInput() }
            return refuse(exchange, WireFailure(.resourceExhausted, text), httpStatus: 413)
        }
        if let timeout = head.timeoutMilliseconds, timeout > 0, timeout <= 86_400_000 {
            exchange.deadline = reactor.now + .milliseconds(timeout)
        }
        if types == nil {
            // The RPC side knows how to answer, without the request.
            try? settings.codec.finish(0, in: &exchange.frame)
            pass(exchange)
        } else if exchange.waitsForContinue {
            exchange.waitsForContinue = false
            transport?.send { $0.append(utf8: "HTTP/1.1 100 Continue\r\n\r\n") }
        }
    }

    private func addExchange(_ request: HTTP1RequestHead, _ call: ConnectCall) -> HTTP1Exchange {
        let made = HTTP1Exchange(
            requests, call, head.responseEncoding, keepsAlive: request.keepsAlive)
        made.waitsForContinue = request.expectsContinue && request.body != .none
        exchange = made
        return made
    }

    // MARK: Bodies

    private func receive(_ bytes: RawSpan) {
        guard let exchange else { return }
        do throws(WireFailure) {
            try exchange.call.receive(bytes)
        } catch {
            exchange.call.endInput()
            if let response = exchange.call.takeWaiting() { return write(response, exchange) }
            refuse(exchange, error, httpStatus: 413)
        }
    }

    private func end() {
        guard let exchange else { return }
        exchange.isReceived = true
        exchange.call.endInput()
        if let response = exchange.call.takeWaiting() { return write(response, exchange) }
        if !exchange.call.isCollecting { return }
        do throws(WireFailure) {
            try exchange.call.takeRequest(into: &exchange.frame, compressor)
            do throws(FrameError) {
                try settings.codec.finish(0, in: &exchange.frame)
            } catch { throw WireFailure(.resourceExhausted, error.description) }
            pass(exchange)
        } catch {
            refuse(exchange, error, httpStatus: error.code == .resourceExhausted ? 413 : nil)
        }
    }

    private func pass(_ exchange: HTTP1Exchange) {
        if input.isEmpty {
            swap(&input, &exchange.frame)
        } else {
            exchange.frame.withBytes { input.append($0) }
        }
        exchange.frame = ByteBuffer()
        hasNewInput = true
    }

    // MARK: Ends

    /// Answers a request that the RPC side has not seen.
    func refuse(_ exchange: HTTP1Exchange, _ failure: WireFailure, httpStatus: Int? = nil) {
        exchange.call.drop()
        exchange.frame = ByteBuffer()
        send(responder.response(to: failure, httpStatus: httpStatus), exchange)
    }

    /// Answers bytes that are no request, and closes: where the next one begins is not known.
    func fail(_ fault: HTTP1Fault) {
        settings.logger.throttled(.warn, "bad HTTP/1.1")?.warn("bad HTTP/1.1, connection closed") {
            $0.add("peer", peerAddress.description)
            $0.add("detail", fault.text)
        }
        let response = ConnectResponse(
            WireFailure(fault.code, fault.text), httpStatus: fault.status)
        write(response, keepsAlive: false)
        exchange = nil
        closing = .rejected(fault.text)
        enrol()
    }
}

extension ConnectResponse {
    fileprivate static func status(_ status: Int) -> ConnectResponse {
        ConnectResponse(httpStatus: status, types: ConnectContentType.accepted)
    }

    fileprivate static var wrongHost: ConnectResponse {
        ConnectResponse(
            WireFailure(
                .permissionDenied,
                "the field Host has a name that is not of this server: use its address, or add the "
                    + "name to server/http/hosts"), httpStatus: 421)
    }
}

extension WireFailure {
    /// The status where header fields are the reason; nil: that of the code.
    fileprivate var headStatus: Int? { code == .resourceExhausted ? 431 : nil }
}

extension HTTP1Fault {
    /// The code of Connect that goes with the status.
    fileprivate var code: RPCErrorCode {
        switch status {
        case 408: .callTimeout
        case 413, 414, 431: .resourceExhausted
        case 417, 501, 505: .unimplemented
        default: .invalidArgument
        }
    }
}

extension RawSpan {
    /// Where the path of a target begins, which may be a whole URL; 0 for what else it may be.
    fileprivate var pathStart: Int {
        var start = hasPrefix("http://") ? 7 : hasPrefix("https://") ? 8 : 0
        if start == 0 { return 0 }
        while start < byteCount, byte(start) != UInt8(ascii: "/") { start += 1 }
        return start
    }
}

extension ByteBuffer {
    /// Appends ASCII text in lower case.
    fileprivate mutating func append(lowercased text: RawSpan) {
        for index in 0..<text.byteCount {
            let byte = text.byte(index)
            let isUpper = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            append(byte: isUpper ? byte | 0x20 : byte)
        }
    }
}
