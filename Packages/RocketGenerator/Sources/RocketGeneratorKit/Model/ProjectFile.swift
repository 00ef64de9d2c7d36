/// A file that a project should have.
struct ProjectFile: Equatable {
    /// Who may change it, and what becomes of it at the next run.
    enum Ownership: Equatable {
        /// Renewed each time; sealed, so that a change by hand is noticed.
        case generated
        /// Written once.
        case yours
        /// Written once, but for the lines between two marks.
        case shared
        /// A copy of an input.
        case copy
    }

    /// Below the project's folder.
    var path: String
    var text: String
    var ownership: Ownership
    var isExecutable = false
}
