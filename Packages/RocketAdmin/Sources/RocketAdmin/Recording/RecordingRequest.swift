import RocketBase
import RocketBinaryLog

/// What a recording is asked to have: the fields of `POST /record`. A value.
struct RecordingRequest: Sendable {
    var methods: [MethodPattern] = []
    var callsPerSample = 1
    var maxCalls: Int?
    /// The most bytes of the log.
    var maxBytes = 64 << 20
    var maxMessageBytes = 64 << 10
    var masks: [FieldPath] = []
    /// Keys of metadata that are left out, beside those whose names say that they are secrets.
    var maskedKeys: Set<String> = []

    static let names: Set = [
        "method", "sample", "calls", "size", "max_message", "mask", "mask_metadata",
    ]

    /// Reads the fields; those that are missing have their defaults.
    init(_ fields: FormFields) throws(RequestPolicy.Refusal) {
        if let unknown = fields.all.first(where: { !Self.names.contains($0.name) }) {
            throw RequestPolicy.Refusal(
                400,
                "A recording has no field "
                    + PrintableText.escaping(unknown.name, PrintableText.swiftEscape)
                    + ": it has \(Self.names.sorted().joined(separator: ", ")).")
        }
        callsPerSample = try Self.number("sample", fields, 1...1_000_000) ?? 1
        maxCalls = try Self.number("calls", fields, 1...1_000_000_000)
        maxBytes = try Self.number("size", fields, 1...(1 << 40)) ?? maxBytes
        maxMessageBytes = try Self.number("max_message", fields, 0...(1 << 20)) ?? maxMessageBytes
        for name in fields["method"]?.split(separator: ",") ?? [] {
            do throws(AuthorizationError) { methods.append(try MethodPattern(String(name))) } catch
            {
                throw RequestPolicy.Refusal(400, "\(error)")
            }
        }
        masks = try Self.paths(fields["mask"] ?? "")
        maskedKeys = Set(
            (fields["mask_metadata"] ?? "").split(separator: ",").map { $0.lowercased() })
    }

    static func paths(_ text: String) throws(RequestPolicy.Refusal) -> [FieldPath] {
        switch FieldPath.list(text) {
        case .success(let paths): return paths
        case .failure(let error): throw RequestPolicy.Refusal(400, "\(error)")
        }
    }

    private static func number(
        _ name: String, _ fields: FormFields, _ range: ClosedRange<Int>
    ) throws(RequestPolicy.Refusal) -> Int? {
        guard let text = fields[name] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw RequestPolicy.Refusal(
                400, "\(name) is a whole number, \(range.lowerBound) to \(range.upperBound).")
        }
        return number
    }
}
