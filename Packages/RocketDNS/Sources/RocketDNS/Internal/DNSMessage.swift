import RocketSystem

/// The types of records that are asked for, and their numbers (RFC 1035, 3596, 2782).
enum RecordType: UInt16, CaseIterable, Hashable {
    case a = 1
    case aaaa = 28
    case srv = 33
}

/// The contents of a record of a type that was asked for.
enum RecordData: Hashable {
    case ipv4(UInt32)
    case ipv6(high: UInt64, low: UInt64)
    case service(priority: UInt16, weight: UInt16, port: UInt16, target: String)
}

/// What a query for one type has brought. A value.
enum QueryOutcome: Hashable {
    struct Record: Hashable {
        var data: RecordData
        /// In seconds.
        var ttl: UInt32
    }

    /// At least one record; the least TTL, aliases included, in seconds.
    case records([Record], minimumTTL: UInt32)
    /// A negative answer; its TTL in seconds, if there was an SOA record.
    case negative(DNSError.Kind, ttl: UInt32?)
    case failed(DNSError.Kind)
}

/// The answer of a server (RFC 1035, 4). A value; any bytes are accepted.
struct DNSMessage {
    struct Record {
        var owner: String
        var type: UInt16
        var ttl: UInt32
        /// The data begin at `start` and end before `end`.
        var start: Int
        var end: Int
    }

    /// How many aliases are followed; further ones, and rings of them, are malformed.
    static let aliasLimit = 16

    private(set) var code: UInt8
    private(set) var question = ""
    private(set) var answers: [Record] = []
    private(set) var authorities: [Record] = []
    private var reader: DNSReader

    /// Reads the message; nil: it is malformed, or no answer.
    init?(_ bytes: [UInt8]) {
        reader = DNSReader(bytes: bytes)
        guard reader.u16() != nil, let flags = reader.u16(), flags & 0x8000 != 0,
            let questions = reader.u16(), questions <= 1, let answers = reader.u16(),
            let authorities = reader.u16(), reader.u16() != nil
        else { return nil }
        code = UInt8(flags & 15)
        if questions == 1 {
            guard let name = reader.name(), reader.u16() != nil, reader.u16() != nil else {
                return nil
            }
            question = name
        }
        for _ in 0..<answers {
            guard let record = readRecord() else { return nil }
            if let record = record { self.answers.append(record) }
        }
        for _ in 0..<authorities {
            guard let record = readRecord() else { return nil }
            if let record = record { self.authorities.append(record) }
        }
    }

    /// Reads a record. Returns nil: it is malformed; nil inside: it is of a class other than IN.
    private mutating func readRecord() -> Record?? {
        guard let owner = reader.name(), let type = reader.u16(), let kind = reader.u16(),
            let ttl = reader.u32(), let count = reader.u16(),
            let start = reader.skip(Int(count))
        else { return nil }
        if kind != 1 { return .some(nil) }
        // A TTL with the highest bit is 0: RFC 2181, 8.
        return Record(
            owner: owner, type: type, ttl: ttl > 0x7FFF_FFFF ? 0 : ttl, start: start,
            end: reader.offset)
    }

    /// What the message says about the records of a type. At most `limit` of them are kept.
    func outcome(_ type: RecordType, limit: Int) -> QueryOutcome {
        switch code {
        case 0: break
        case 1, 4: return .failed(.notSupported)
        case 3: return .negative(.unknownName, ttl: negativeTTL)
        case 5: return .failed(.refused)
        default: return .failed(.serverFailed)
        }
        var minimum = UInt32.max
        guard let owner = followAliases(&minimum) else { return .failed(.malformedAnswer) }
        var records: [QueryOutcome.Record] = []
        for record in answers where record.type == type.rawValue && record.owner == owner {
            guard let data = data(of: record, type) else { return .failed(.malformedAnswer) }
            // A target that is the root means that there is no such service: RFC 2782.
            if case .service(_, _, _, "") = data { continue }
            if records.count >= max(1, limit) { break }
            minimum = min(minimum, record.ttl)
            records.append(QueryOutcome.Record(data: data, ttl: record.ttl))
        }
        if records.isEmpty { return .negative(.noRecords, ttl: negativeTTL) }
        return .records(records, minimumTTL: minimum)
    }

    /// The name at the end of the aliases (CNAME) of the question. Nil: they are malformed.
    private func followAliases(_ minimum: inout UInt32) -> String? {
        var owner = question
        for _ in 0...Self.aliasLimit {
            guard let alias = answers.first(where: { $0.type == 5 && $0.owner == owner }) else {
                return owner
            }
            var target = reader.at(alias.start)
            guard let name = target.name(), target.offset == alias.end else { return nil }
            owner = name
            minimum = min(minimum, alias.ttl)
        }
        return nil
    }

    private func data(of record: Record, _ type: RecordType) -> RecordData? {
        var reader = reader.at(record.start)
        let data: RecordData
        switch type {
        case .a:
            guard let bits = reader.u32() else { return nil }
            data = .ipv4(bits)
        case .aaaa:
            guard let high = reader.u64(), let low = reader.u64() else { return nil }
            data = .ipv6(high: high, low: low)
        case .srv:
            guard let priority = reader.u16(), let weight = reader.u16(),
                let port = reader.u16(), let target = reader.name(),
                target.isEmpty || HostName.isValid(target)
            else { return nil }
            data = .service(priority: priority, weight: weight, port: port, target: target)
        }
        return reader.offset == record.end ? data : nil
    }

    /// How long a negative answer is valid, by its SOA record: RFC 2308, 5.
    private var negativeTTL: UInt32? {
        guard let record = authorities.first(where: { $0.type == 6 }) else { return nil }
        var reader = reader.at(record.start)
        guard reader.name() != nil, reader.name() != nil, reader.skip(16) != nil,
            let minimum = reader.u32(), reader.offset == record.end
        else { return nil }
        return min(record.ttl, minimum)
    }
}

/// Reads numbers and names of a message, each of which may end too early. A value.
struct DNSReader {
    let bytes: [UInt8]
    private(set) var offset = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    func at(_ offset: Int) -> DNSReader {
        var other = self
        other.offset = offset
        return other
    }

    private mutating func number(_ count: Int) -> UInt64? {
        guard let start = skip(count) else { return nil }
        return bytes[start..<start + count].reduce(0) { $0 << 8 | UInt64($1) }
    }

    mutating func u16() -> UInt16? { number(2).map { UInt16($0) } }
    mutating func u32() -> UInt32? { number(4).map { UInt32($0) } }
    mutating func u64() -> UInt64? { number(8) }

    /// Skips bytes. Returns where they begin; nil: there are fewer.
    mutating func skip(_ count: Int) -> Int? {
        guard count <= bytes.count - offset else { return nil }
        defer { offset += count }
        return offset
    }

    /// Reads a name, in lower case, without a dot at its end. Pointers lead backward only, and count, so
    /// that a ring of them ends as a name that is too long.
    mutating func name() -> String? {
        var text: [UInt8] = []
        var at = offset
        var end: Int?
        var total = 0
        while true {
            guard at < bytes.count else { return nil }
            let length = Int(bytes[at])
            if length == 0 { break }
            if length >= 0xC0 {
                guard at + 1 < bytes.count else { return nil }
                let target = (length & 0x3F) << 8 | Int(bytes[at + 1])
                guard target < at else { return nil }
                if end == nil { end = at + 2 }
                total += 1
                at = target
            } else {
                guard length < 64, at + 1 + length <= bytes.count else { return nil }
                if !text.isEmpty { text.append(UInt8(ascii: ".")) }
                for byte in bytes[at + 1...at + length] { Self.append(byte, to: &text) }
                at += 1 + length
                total += 1 + length
            }
            if total > 255 { return nil }
        }
        offset = end ?? at + 1
        return String(decoding: text, as: UTF8.self)
    }

    /// Bytes that would make two names one are escaped, as in zone files.
    private static func append(_ byte: UInt8, to text: inout [UInt8]) {
        switch byte {
        case 65...90: text.append(byte | 0x20)
        case 0x21...0x7E where byte != UInt8(ascii: ".") && byte != UInt8(ascii: "\\"):
            text.append(byte)
        default:
            text.append(UInt8(ascii: "\\"))
            for divisor in [100, 10, 1] { text.append(48 + UInt8(Int(byte) / divisor % 10)) }
        }
    }
}
