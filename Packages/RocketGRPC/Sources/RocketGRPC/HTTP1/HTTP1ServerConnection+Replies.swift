import RocketBase
import RocketCodec
@_spi(Transport) import RocketRPC
import RocketTCP

// Frames of the RPC side become responses of HTTP/1.1.

extension HTTP1ServerConnection {
    /// Takes all frames that the RPC side has sent.
    func takeReplies() {
        if output.isEmpty { return }
        var bytes = ByteBuffer()
        swap(&bytes, &output)
        while !bytes.isEmpty {
            let byteCount = bytes.withBytes { bytes -> Int in
                // What this process has written is valid.
                guard case .frame(let frame, let byteCount)? = try? settings.codec.step(bytes)
                else { return 0 }
                take(frame, bytes)
                return byteCount
            }
            if byteCount == 0 { break }
            bytes.consume(byteCount)
        }
        bytes.removeAll()
        bytes.shrink(keepBytes: 4 << 10)
        swap(&bytes, &output)
    }

    private func take(_ frame: TinyPBFrame, _ bytes: RawSpan) {
        let name = FrameName(bytes.extracting(frame.methodName))
        if frame.messageID.isEmpty {
            if name == .goAway { beginDrain() }
            return
        }
        guard name == nil, let exchange,
            exchange.messageID.withBytes({ $0.equals(bytes.extracting(frame.messageID)) })
        else { return }
        send(
            responder.response(to: exchange.call, frame, bytes, exchange.responseEncoding), exchange
        )
    }

    // MARK: Responses

    /// Sends a response, or lets it wait for the end of the request: a client that sends may not read.
    /// One that waits for `100 Continue` reads.
    func send(_ response: ConnectResponse, _ exchange: HTTP1Exchange) {
        if exchange.waitsForContinue { exchange.call.endInput() }
        guard let response = exchange.call.keep(response) else { return }
        write(response, exchange)
    }

    /// Sends a response now. Where the request has not been received, its rest is not read.
    func write(_ response: ConnectResponse, _ exchange: HTTP1Exchange) {
        let keepsAlive = exchange.keepsAlive && exchange.isReceived && !isDraining
        write(response, keepsAlive: keepsAlive)
        self.exchange = nil
        if !keepsAlive, closing == nil { closing = isDraining ? .drained : .requested }
        enrol()
    }

    /// Writes a response into the output.
    func write(_ response: ConnectResponse, keepsAlive: Bool) {
        transport?.send { output in
            output.append(utf8: "HTTP/1.1 ")
            output.append(decimal: response.status)
            output.append(byte: UInt8(ascii: " "))
            output.append(utf8: HTTP1Reason.text(of: response.status))
            output.append(utf8: "\r\n")
            for field in response.fields {
                output.append(utf8: field.name)
                output.append(utf8: ": ")
                output.append(utf8: field.value)
                output.append(utf8: "\r\n")
            }
            if response.body.isEmpty, !response.hasLength {
                output.append(utf8: "content-length: 0\r\n")
            }
            output.append(utf8: keepsAlive ? "\r\n" : "connection: close\r\n\r\n")
            output.append(response.body)
        }
    }
}

/// The texts of statuses.
enum HTTP1Reason {
    static func text(of status: Int) -> String {
        switch status {
        case 200: "OK"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 499: "Client Closed Request"
        case 501: "Not Implemented"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: "Internal Server Error"
        }
    }
}

extension ConnectResponse {
    /// Whether there is a content-length among the fields.
    fileprivate var hasLength: Bool { fields.contains { $0.name == "content-length" } }
}
