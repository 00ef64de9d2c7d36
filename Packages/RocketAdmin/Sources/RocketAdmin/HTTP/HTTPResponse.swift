/// An answer: status, type and body. A value.
struct HTTPResponse: Sendable {
    /// `200`
    var status: Int
    var contentType: String
    var body: String
    /// In place of `body`, for what is no text.
    var bytes: [UInt8]?
    /// Further headers, in their order.
    var headers: [(name: String, value: String)] = []

    init(status: Int = 200, contentType: String, body: String) {
        self.status = status
        self.contentType = contentType
        self.body = body
    }

    /// A line of text.
    static func text(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "text/plain; charset=utf-8", body: text + "\n")
    }

    static func json(_ text: String, status: Int = 200) -> HTTPResponse {
        HTTPResponse(status: status, contentType: "application/json", body: text + "\n")
    }

    /// What every answer has: nothing is stored, no other page shows it in a frame or reads it, and no
    /// type is guessed. What the browser may do with a page stands in its own headers.
    static let commonHeaders: [(name: String, value: String)] = [
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("X-Frame-Options", "DENY"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
        ("Cross-Origin-Resource-Policy", "same-origin"),
    ]
}
