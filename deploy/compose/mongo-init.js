// Runs once in the job `mongo-init`: the replica set (transactions need one), then an account for each service with its own database.
// The server forgives a second run: what is there already stays.
const admin = db.getSiblingDB("admin");
try {
  rs.status();
} catch (missing) {
  rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "mongo:27017" }] });
}
while (!db.hello().isWritablePrimary) sleep(200);
for (const [name, password] of [
  ["microshop_user", process.env.MONGO_PASSWORD_USER],
  ["microshop_product", process.env.MONGO_PASSWORD_PRODUCT],
]) {
  const database = db.getSiblingDB(name);
  if (!database.getUser(name)) {
    database.createUser({ user: name, pwd: password, roles: [{ role: "readWrite", db: name }, { role: "dbAdmin", db: name }] });
  }
}
