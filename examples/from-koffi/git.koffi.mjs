// The log of a repository, with libgit2: node examples/from-koffi/git.koffi.mjs FOLDER
// The same for this package: git.mjs.
import koffi from 'koffi';
const lib = koffi.load('libgit2.so');
koffi.opaque('git_repository'); koffi.opaque('git_revwalk'); koffi.opaque('git_commit');
koffi.struct('git_oid', { id: koffi.array('uint8_t', 20) });
koffi.struct('git_signature', { name: 'const char *', email: 'const char *', time: 'int64_t', offset: 'int', sign: 'char' });
koffi.struct('git_error', { message: 'const char *', klass: 'int' });
const init = lib.func('int git_libgit2_init()');
const open = lib.func('int git_repository_open(_Out_ git_repository **out, const char *path)');
const newWalk = lib.func('int git_revwalk_new(_Out_ git_revwalk **out, git_repository *repo)');
const pushHead = lib.func('int git_revwalk_push_head(git_revwalk *walk)');
const next = lib.func('int git_revwalk_next(_Out_ git_oid *out, git_revwalk *walk)');
const lookup = lib.func('int git_commit_lookup(_Out_ git_commit **commit, git_repository *repo, const git_oid *id)');
const summary = lib.func('const char *git_commit_summary(git_commit *commit)');
const author = lib.func('const git_signature *git_commit_author(const git_commit *commit)');
const lastError = lib.func('const git_error *git_error_last()');
const freeCommit = lib.func('void git_commit_free(git_commit *commit)');
const freeWalk = lib.func('void git_revwalk_free(git_revwalk *walk)');
const freeRepository = lib.func('void git_repository_free(git_repository *repo)');
const repo = [null], walk = [null], commit = [null], id = {};
init();
open(repo, process.argv[2]);
newWalk(walk, repo[0]);
pushHead(walk[0]);
while (next(id, walk[0]) === 0) {
  lookup(commit, repo[0], id);
  console.log(Buffer.from(id.id).toString('hex'), koffi.decode(author(commit[0]), 'git_signature').name, summary(commit[0]));
  freeCommit(commit[0]);
}
if (open([null], '/nowhere') < 0) console.log(koffi.decode(lastError(), 'git_error').message);
freeWalk(walk[0]);
freeRepository(repo[0]);
