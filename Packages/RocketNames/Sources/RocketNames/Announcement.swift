import RocketBase
package import RocketRPC
import RocketTCP
import SwiftProtobuf

/// What a server announces of itself, and the texts of it: a line of a file, and the JSON of etcd's and
/// gRPC's Go packages. A value.
package struct Announcement {
    /// The server, with one address.
    package let endpoint: RPCEndpoint

    /// The longest text that is read, in bytes.
    package static let maxBytes = 4096

    /// An announcement of a server's first address.
    ///
    /// - Throws: `RPCError` ERROR_RPC_PEER_ADDR for a server without an address.
    package init(of server: RPCEndpoint) throws(RPCError) {
        guard let address = server.addresses.first else {
            throw RPCError(.peerAddress, "the server to announce has no address")
        }
        var endpoint = RPCEndpoint([address])
        endpoint.weight = min(max(1, server.weight), 65_535)
        endpoint.zone = server.zone.flatMap { $0.isEmpty ? nil : $0 }
        self.endpoint = endpoint
    }

    /// Reads `{"Addr":"IP:PORT","Metadata":{"weight":N,"zone":"Z"}}`. Other fields are ignored, and so
    /// is a weight or a zone of another type: others may write what they like into the metadata.
    ///
    /// - Throws: `AnnouncementError`.
    package init(json: String) throws(AnnouncementError) {
        if json.utf8.count > Self.maxBytes { throw .tooLong }
        var options = JSONDecodingOptions()
        options.ignoreUnknownFields = true
        options.messageDepthLimit = 20
        let message: Rocket_Names_Announcement
        do {
            message = try Rocket_Names_Announcement(jsonString: json, options: options)
        } catch { throw AnnouncementError("is no JSON object with Addr and Metadata") }
        if message.address.isEmpty { throw AnnouncementError("has no Addr") }
        var endpoint = RPCEndpoint([try Self.address(message.address)])
        let fields = message.metadata.structValue.fields
        if case .numberValue(let weight)? = fields["weight"]?.kind, weight.isFinite {
            endpoint.weight = Int(min(max(1, weight), 65_535))
        }
        if case .stringValue(let zone)? = fields["zone"]?.kind, !zone.isEmpty {
            endpoint.zone = zone
        }
        self.endpoint = endpoint
    }

    /// Reads `ADDRESS [weight=N] [zone=Z]`.
    ///
    /// - Throws: `AnnouncementError`.
    package init(line: Substring) throws(AnnouncementError) {
        if line.utf8.count > Self.maxBytes { throw .tooLong }
        let words = line.split(whereSeparator: \.isWhitespace)
        guard let first = words.first else { throw AnnouncementError("is empty") }
        var endpoint = RPCEndpoint([try Self.address(String(first))])
        for word in words.dropFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let value = String(parts.last ?? "")
            switch (parts.count, parts[0]) {
            case (2, "weight"):
                guard let weight = Int(value), (1...65_535).contains(weight) else {
                    throw AnnouncementError("weight '\(value)' is not a number from 1 to 65535")
                }
                endpoint.weight = weight
            case (2, "zone") where !value.isEmpty: endpoint.zone = value
            default:
                throw AnnouncementError("'\(word)' is unknown: expected weight=N or zone=NAME")
            }
        }
        self.endpoint = endpoint
    }

    /// Its JSON.
    package var json: String {
        var fields: [String] = []
        // Not as a field of a message: that would be written as 2.0.
        if endpoint.weight != 1 { fields.append("\"weight\":\(endpoint.weight)") }
        if let zone = endpoint.zone { fields.append("\"zone\":\(Self.quoted(zone))") }
        let address = Self.quoted(endpoint.addresses.first?.description ?? "")
        return "{\"Addr\":\(address),\"Metadata\":{\(fields.joined(separator: ","))}}"
    }

    private static func quoted(_ text: String) -> String {
        // A text can always be written as JSON.
        (try? Google_Protobuf_StringValue(text).jsonString()) ?? "\"\""
    }

    /// Its line of a file, without the line end. A zone with blanks is written as JSON.
    package var line: String {
        let address = endpoint.addresses.first?.description ?? ""
        let hasBlank = "\(address)\(endpoint.zone ?? "")".contains { $0.isWhitespace || $0 == "#" }
        if hasBlank { return json }
        var text = address
        if endpoint.weight != 1 { text += " weight=\(endpoint.weight)" }
        if let zone = endpoint.zone { text += " zone=\(zone)" }
        return text
    }

    private static func address(_ text: String) throws(AnnouncementError) -> NetAddress {
        do { return try NetAddress(parsing: text) } catch {
            throw AnnouncementError(error.description)
        }
    }
}

/// Why a text announces no server.
package struct AnnouncementError: Error, Hashable, CustomStringConvertible {
    /// The reason: `is no JSON object with Addr and Metadata`.
    package let description: String

    init(_ description: String) { self.description = description }

    static var tooLong: Self {
        AnnouncementError("has more than \(Announcement.maxBytes) bytes")
    }
}
