module.exports={writeDocuments(){}}
