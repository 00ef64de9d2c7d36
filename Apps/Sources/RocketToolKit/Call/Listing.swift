import RocketDynamic
import RocketProgram

/// What `--list` and `--describe` print.
enum Listing {
    /// The methods of a service, one a line, with their messages.
    ///
    /// - Throws: `UnknownSymbol`.
    static func methods(
        of name: String, in schema: DynamicSchema
    ) throws(UnknownSymbol) -> String {
        try schema.service(named: name).methods.map { method in
            let request = (method.streamsRequests ? "stream " : "") + method.request
            let response = (method.streamsResponses ? "stream " : "") + method.response
            return "\(method.fullName)(\(request)) returns (\(response))"
        }.joined(separator: "\n")
    }

    /// A service, a message or an enum as in a .proto file; a method with its messages.
    ///
    /// - Throws: `UnknownSymbol`.
    static func definition(
        of symbol: String, in schema: DynamicSchema
    ) throws(UnknownSymbol) -> String {
        if let service = try? schema.service(named: symbol) {
            return trimmed(schema.describe(service.name) ?? "")
        }
        guard let method = try? schema.method(named: symbol) else {
            if let text = schema.describe(symbol) { return trimmed(text) }
            _ = try schema.method(named: symbol)
            return ""
        }
        var symbols = [method.fullName, method.request]
        if method.response != method.request { symbols.append(method.response) }
        return symbols.compactMap { schema.describe($0).map(trimmed) }
            .joined(separator: "\n\n")
    }

    /// The text for a terminal, line by line: a server may have written what moves the cursor.
    static func safe(_ text: String) -> String {
        text.split(separator: "\n", omittingEmptySubsequences: false)
            .map { TerminalText.safe(String($0)) }.joined(separator: "\n")
    }

    private static func trimmed(_ text: String) -> String {
        text.hasSuffix("\n") ? String(text.dropLast()) : text
    }
}
