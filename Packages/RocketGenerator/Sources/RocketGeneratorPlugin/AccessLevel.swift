/// Who may use the generated declarations: the plugin's option `Visibility`.
public enum AccessLevel: String, CaseIterable, Sendable {
    case `public`
    case package
    case `internal`

    /// Reads an option's value as protoc-gen-swift does: `Public`, `Package` or `Internal`, in
    /// upper or lower case.
    public init?(option: String) {
        self.init(rawValue: option.lowercased())
    }

    /// What goes before a declaration, with the blank that separates it; nothing for `internal`.
    var modifier: String { self == .internal ? "" : "\(rawValue) " }
}
